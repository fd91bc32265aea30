import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

export const repositoryRoot = join(import.meta.dir, "..", "..");

const unversionedFolders = new Set([
  ".git",
  ".tools",
  "node_modules",
  "dist",
  "tmp",
  "data",
  ".bundle",
  "vendor",
]);

const unversionedFiles = /^examples\/shop\/(Gemfile\.lock|\.demo-.*\.toml)$/;

/**
 * The paths, relative to the root, of all files that are in git or would be added by `git add`; where there is no git
 * or no history (an unpacked archive), of all files outside the folders that never are.
 */
export function listRepositoryFiles(): string[] {
  // In a container the folder often belongs to somebody else, which git refuses without being told.
  const listed = Bun.spawnSync(
    ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    { cwd: repositoryRoot, stdin: "ignore", stderr: "ignore" },
  );
  if (listed.exitCode !== 0) return walk("");
  return listed.stdout.toString().split("\0").filter(isThere);
}

/** A file that is deleted and not yet committed is still listed. */
function isThere(path: string): boolean {
  return path !== "" && existsSync(join(repositoryRoot, path));
}

function walk(folder: string): string[] {
  const entries = readdirSync(join(repositoryRoot, folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return unversionedFolders.has(entry.name) ? [] : walk(path);
    return entry.isFile() && !unversionedFiles.test(path) ? [path] : [];
  });
}
