/** What the tests of the machine's faults have in common. */
import { afterAll, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const fixtures = join(import.meta.dir, "../fixtures/faults");

/** Bun's own threads end when they are idle and are started again when needed, unless it is told so (docs/OPERATIONS.md). */
export const noLateThreads = {
  BUN_JSC_useConcurrentJIT: "0",
  BUN_JSC_useConcurrentGC: "0",
  BUN_JSC_numberOfGCMarkers: "1",
};

/** A test that this machine can't run says so in its name and is skipped. @param obstacle undefined: it can. */
export function testUnless(obstacle: string | undefined, name: string, body: () => Promise<void>): void {
  test.skipIf(obstacle !== undefined)(
    obstacle === undefined ? name : `${name} (not here: ${obstacle})`,
    body,
  );
}

/** Builds a fixture written in C; it is removed when the tests of the file are over. */
export class Fixture {
  readonly path: string;
  /** Why there is none. */
  readonly obstacle: string | undefined;

  constructor(name: string, flags: readonly string[] = []) {
    const folder = mkdtempSync(join(tmpdir(), "kleinhirn-fault-"));
    afterAll(() => rmSync(folder, { recursive: true }));
    this.path = join(folder, name);
    this.obstacle = build(join(fixtures, `${name}.c`), this.path, flags);
  }
}

function build(source: string, path: string, flags: readonly string[]): string | undefined {
  if (Bun.which("gcc") === null) return "no gcc";
  const { exitCode, stderr } = Bun.spawnSync(["gcc", "-Wall", "-O1", "-o", path, source, ...flags]);
  // The sources are ours: that they can't be built is a failure, not an obstacle.
  if (exitCode !== 0) throw new Error(stderr.toString());
  return undefined;
}

/** A preloaded library. */
export const asLibrary = ["-shared", "-fPIC", "-ldl"];

/** Runs the shell's commands in a mount namespace of its own, before the program. */
export function withMounts(...commands: readonly string[]): readonly string[] {
  return ["unshare", "-m", "sh", "-c", `${commands.join(" && ")} && exec "$@"`, "sh"];
}

export const mountObstacle =
  Bun.spawnSync([...withMounts("mount -t tmpfs none /mnt"), "true"]).exitCode === 0
    ? undefined
    : "may not mount";

/** In a wrapper: a program of the shell's before the supervisor is executed in its place. */
export function after(command: string): readonly string[] {
  return ["sh", "-c", `${command} && exec "$@"`, "sh"];
}

export const rootObstacle = process.getuid?.() === 0 ? undefined : "not root";
