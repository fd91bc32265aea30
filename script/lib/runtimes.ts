/** The Bun that a compiled kleinhirn carries, for each kind of machine. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "./repository-files.ts";

/** What is in the npm package of that name, in the version of .bun-version; script/build installs what is missing. */
const runtimes = {
  "linux-x64": {
    package: "@oven/bun-linux-x64",
    sha256: "f05d28a3862f4b84395c7fa32480b835dd47482e80b7e7a49a115227f0c06083",
  },
  "linux-x64-musl": {
    package: "@oven/bun-linux-x64-musl",
    sha256: "cf5d285ddbe256785a5121a3c113191a6b577504976374c7cfd5aedca609b720",
  },
  "linux-arm64": {
    package: "@oven/bun-linux-aarch64",
    sha256: "04778f1f42399a69d086853e9c7af4acf574b2f21a43d0dc673853d8b84a2923",
  },
  "linux-arm64-musl": {
    package: "@oven/bun-linux-aarch64-musl",
    sha256: "9c48986093073afec8b76a3e285303598dd2462f52748aecb65e4d94866e1ea3",
  },
} as const;

export type Target = keyof typeof runtimes;

export const targets = ["linux-x64", "linux-x64-musl", "linux-arm64", "linux-arm64-musl"] as const;

export function isTarget(name: string): name is Target {
  return Object.hasOwn(runtimes, name);
}

export function packageOf(target: Target): string {
  return runtimes[target].package;
}

/** That of this machine, as the Bun is that runs this. */
export function ownTarget(): Target {
  const target = `linux-${process.arch}${isMusl() ? "-musl" : ""}`;
  if (process.platform !== "linux" || !isTarget(target))
    throw new Error(`there is no kleinhirn for ${target}`);
  return target;
}

function isMusl(): boolean {
  return existsSync(`/lib/ld-musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`);
}

/**
 * The file of a runtime: the Bun that runs this, where it is the very same, else what was installed for other targets.
 * Whatever is built in must have the checksum that stands here: two builds of one commit are then the same.
 */
export function verifiedRuntime(target: Target): string {
  const found = findRuntime(target);
  if (found !== undefined) return found;
  const { sha256 } = runtimes[target];
  const places = placesOf(target).join(" nor ");
  throw new Error(
    `no Bun for ${target} with the checksum ${sha256} (script/lib/runtimes.ts): neither ${places}`,
  );
}

export function findRuntime(target: Target): string | undefined {
  return placesOf(target).find((path) => existsSync(path) && checksum(path) === runtimes[target].sha256);
}

function placesOf(target: Target): readonly string[] {
  return [
    process.execPath,
    join(repositoryRoot, ".tools/runtimes/node_modules", packageOf(target), "bin/bun"),
  ];
}

function checksum(path: string): string {
  return new Bun.CryptoHasher("sha256").update(readFileSync(path)).digest("hex");
}
