/** A pids cgroup for one test: the limit that a container's processes and threads really meet. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { waitUntil } from "../helpers/wait.ts";

/** cgroup v1 has a hierarchy for it; in v2 the controller has to be on in the root group. */
const roots = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

export class PidsGroup implements AsyncDisposable {
  readonly folder: string;

  constructor(root: string) {
    this.folder = join(root, `kleinhirn-test-${crypto.randomUUID()}`);
    mkdirSync(this.folder);
  }

  /** For `after`: whoever runs it enters the group. */
  get enter(): string {
    return `echo $$ > ${this.folder}/cgroup.procs`;
  }

  /** Processes and threads that are there now. */
  get current(): number {
    return Number(readFileSync(join(this.folder, "pids.current"), "utf8"));
  }

  limit(most: number | "max"): void {
    writeFileSync(join(this.folder, "pids.max"), String(most));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await waitUntil(
      () => readFileSync(join(this.folder, "cgroup.procs"), "utf8") === "",
      () => `the end of everybody in ${this.folder}`,
    );
    rmdirSync(this.folder);
  }
}

function findRoot(): string | undefined {
  for (const root of roots) {
    if (!existsSync(join(root, "cgroup.procs"))) continue;
    const group = join(root, `kleinhirn-probe-${process.pid}`);
    try {
      mkdirSync(group);
      const isThere = existsSync(join(group, "pids.max"));
      rmdirSync(group);
      if (isThere) return root;
    } catch {
      // Not ours to write.
    }
  }
  return undefined;
}

export const pidsRoot = findRoot();
export const pidsObstacle = pidsRoot === undefined ? "no pids cgroup that could be written" : undefined;
