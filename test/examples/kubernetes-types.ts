/**
 * Checks objects against the types that the package kubernetes-types has made of Kubernetes' own OpenAPI description: an
 * unknown field, a wrong type or a missing required field is an error. (Formats and ranges are not in them.)
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repositoryRoot } from "../../script/lib/repository-files.ts";

/** What every object says of itself. */
export type Manifest = { readonly apiVersion: string; readonly kind: string };

/** @param variants by name; one run of the compiler for all. @returns what is wrong with each, a line each. */
export function checkKubernetesTypes(
  variants: ReadonlyMap<string, readonly Manifest[]>,
): ReadonlyMap<string, readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "kleinhirn-manifests-"));
  try {
    const files = [...variants].map(([name, objects], index) => {
      const file = `variant${index}.ts`;
      writeFileSync(join(folder, file), objects.map(declare).join("\n"));
      return { name, file };
    });
    const complaints = compile(files.map(({ file }) => join(folder, file)));
    return new Map(files.map(({ name, file }) => [name, complaints.filter((line) => line.includes(file))]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function compile(files: readonly string[]): readonly string[] {
  const options = ["--noEmit", "--strict", "--ignoreConfig", "--types", "", "--lib", "es2022"];
  const { exitCode, stdout } = Bun.spawnSync(
    [process.execPath, "node_modules/.bin/tsc", ...options, ...files],
    { cwd: repositoryRoot, stderr: "inherit" },
  );
  const complaints = stdout.toString().split("\n");
  const named = complaints.filter((line) => line.includes("error TS"));
  if (
    named.length !== named.filter((line) => /variant\d+\.ts/.test(line)).length ||
    (exitCode !== 0 && named.length === 0)
  )
    throw new Error(`the compiler ended with ${exitCode}:\n${stdout}`);
  return named;
}

/** A literal, for only of those the compiler says that a field is unknown. */
function declare(object: Manifest, index: number): string {
  const [group = "", version] = object.apiVersion.includes("/")
    ? object.apiVersion.split("/")
    : ["core", object.apiVersion];
  const types = join(
    repositoryRoot,
    "node_modules/kubernetes-types",
    group.replace(/\..*/, ""),
    `${version}`,
  );
  const name = `import(${JSON.stringify(types)}).${object.kind}`;
  return `export const object${index}: ${name} = ${JSON.stringify(object, null, 1)};`;
}
