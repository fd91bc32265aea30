/** The compiled kleinhirn, for tests of what only it does. */
import { join } from "node:path";
import { isBuilt, kleinhirn, repository } from "./program.ts";

const dist = join(repository, "dist");
let building: string | undefined;

/** The one that is tested anyway, or one built from the tree as it is now. */
export function builtProgram(): string {
  if (isBuilt) return kleinhirn[0];
  building ??= build(repository, dist);
  return building;
}

/** Builds the tree in `folder` into `output`. */
export function build(folder: string, output: string, env: Readonly<Record<string, string>> = {}): string {
  const command = [process.execPath, join(folder, "script/lib/build.ts"), "--output", output];
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { env: { ...process.env, ...env } });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stdout}${stderr}`);
  return join(output, "kleinhirn");
}
