/** HAProxy before several replicas, each with its own readiness endpoint as the check. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../helpers/ports.ts";
import { waitUntil } from "../../helpers/wait.ts";

export type Backend = { readonly name: string; readonly webPort: number; readonly healthPort: number };

/** HAProxy asks this often, and believes the second answer of a kind. */
const checkEveryMs = 200;
const answersToBelieve = 2;

/**
 * From the first 503 to the last request that is given to a replica: two checks, and one that has just begun and is answered
 * late, on a machine that has other things to do. `drain_delay` must be longer.
 */
export const drainDelay = "3s";

export class Balancer implements AsyncDisposable {
  readonly url: string;
  readonly #admin: string;
  readonly #process: Bun.Subprocess;

  /** @param folder of the test's own. */
  constructor(folder: string, backends: readonly Backend[]) {
    const port = freePort();
    this.url = `http://127.0.0.1:${port}`;
    this.#admin = join(folder, "admin");
    const file = join(folder, "haproxy.cfg");
    writeFileSync(file, describe(port, this.#admin, backends));
    this.#process = Bun.spawn(["haproxy", "-q", "-db", "-f", file], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  }

  async isUp(name: string): Promise<boolean> {
    return (await this.#states()).get(name)?.startsWith("UP") ?? false;
  }

  async waitForUp(names: readonly string[]): Promise<void> {
    for (const name of names) {
      await waitUntil(
        () => this.isUp(name),
        () => `HAProxy to see ${name} up`,
      );
    }
  }

  /** Of each server: `UP`, `DOWN`, `UP 1/2` while it makes up its mind. */
  async #states(): Promise<ReadonlyMap<string, string>> {
    try {
      const answer = await fetch("http://localhost/;csv", { unix: this.#admin });
      const [head = "", ...rows] = (await answer.text()).replace("# ", "").split("\n");
      const column = head.split(",").indexOf("status");
      return new Map(
        rows.map((row) => row.split(",")).map((fields) => [fields[1] ?? "", fields[column] ?? ""]),
      );
    } catch {
      return new Map(); // It does not listen yet.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }
}

/** No retries and no redispatch: a request that a replica doesn't answer is a failed request. */
function describe(port: number, admin: string, backends: readonly Backend[]): string {
  const check = `check inter ${checkEveryMs}ms rise ${answersToBelieve} fall ${answersToBelieve}`;
  const servers = backends.map(
    ({ name, webPort, healthPort }) => `  server ${name} 127.0.0.1:${webPort} ${check} port ${healthPort}`,
  );
  return `
global
  maxconn 500
defaults
  mode http
  retries 0
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout check 5s
frontend web
  bind 127.0.0.1:${port}
  default_backend replicas
frontend admin
  bind unix@${admin}
  stats enable
  stats uri /
backend replicas
  balance roundrobin
  option httpchk GET /readyz
${servers.join("\n")}
`;
}
