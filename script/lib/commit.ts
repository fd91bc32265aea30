/**
 * The abbreviated commit of a working tree, with a `+` when files that git knows have been changed since; undefined
 * outside git. Where the tree comes without its history (a package manager's build), KLEINHIRN_COMMIT says it.
 */
export function commitOf(folder: string): string | undefined {
  const { KLEINHIRN_COMMIT: told } = process.env;
  if (told !== undefined && told !== "") return told;
  const commit = git(folder, ["rev-parse", "--short=10", "HEAD"]);
  if (commit === undefined) return undefined;
  const changes = git(folder, ["status", "--porcelain", "--untracked-files=no"]);
  return changes === "" ? commit : `${commit}+`;
}

function git(folder: string, args: readonly string[]): string | undefined {
  try {
    const result = Bun.spawnSync(["git", "-C", folder, ...args], { stdin: "ignore", stderr: "ignore" });
    return result.exitCode === 0 ? result.stdout.toString().trim() : undefined;
  } catch {
    return undefined; // git is not installed.
  }
}
