/** Several containers behind a load balancer are replaced one by one, under load, and nobody notices. */
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeep } from "../helpers/deep.ts";
import { freePort } from "../helpers/ports.ts";
import type { Running } from "../helpers/running.ts";
import { type Backend, Balancer, drainDelay } from "./support/balancer.ts";
import { Load } from "./support/load.ts";
import { whyNoNamespaces } from "./support/pid1.ts";
import { startReplica, stopReplica } from "./support/replica.ts";

setDefaultTimeout(600_000);

const missing = ["haproxy", "wrk", "ruby"].filter((program) => Bun.which(program) === null);
const obstacle = missing.length > 0 ? `${missing.join(", ")} not installed` : whyNoNamespaces();
if (obstacle !== undefined) console.warn(`the rollout is skipped: ${obstacle}`);

const rounds = isDeep ? 5 : 1;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kleinhirn-rollout-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function chooseBackends() {
  return ["r1", "r2", "r3"].map((name) => ({ name, webPort: freePort(), healthPort: freePort() }));
}

describe.skipIf(obstacle !== undefined)("three replicas of the demo behind HAProxy", () => {
  test("a rollout under load: not one request fails", async () => {
    const backends = chooseBackends();
    await using replicas = new AsyncDisposableStack();
    const start = async (backend: Backend) => {
      const replica = replicas.use(startReplica(backend, drainDelay));
      await replica.waitFor("worker set running", 2);
      return replica;
    };
    const running = await Promise.all(backends.map(start));
    await using balancer = new Balancer(folder, backends);
    await balancer.waitForUp(backends.map(({ name }) => name));
    await using load = new Load(`${balancer.url}/worker`, 8);
    const rolls = Array.from({ length: rounds }, () => [...backends.entries()]).flat();
    for (const [index, backend] of rolls) {
      await stopWell(running[index]);
      running[index] = await start(backend);
      await balancer.waitForUp([backend.name]);
    }
    const { requests, failed, report } = await load.finish();
    expect(requests).toBeGreaterThan(100);
    expect({ failed, report }).toMatchObject({ failed: 0 });
    await Promise.all(running.map(stopWell));
  });
});

async function stopWell(replica: Running | undefined): Promise<void> {
  expect(replica && (await stopReplica(replica))).toBe(0);
  expect(replica?.lines.at(-1)).toMatchObject({ msg: "stopped", killed: 0 });
}
