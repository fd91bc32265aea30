/** An image that has nothing but the binary, the libraries that it asks for, and one static program to supervise. */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { repository } from "../../helpers/running.ts";
import type { Binary } from "./binary.ts";
import type { Engine } from "./engine.ts";

const dockerfile = `
FROM scratch
COPY . /
WORKDIR /etc/kleinhirn
HEALTHCHECK CMD ["/kleinhirn", "health", "-f", "/etc/kleinhirn/kleinhirn.toml"]
USER 65532:65532
ENTRYPOINT ["/kleinhirn"]
`;

/** @returns its name. */
export function buildScratchImage(engine: Engine, binary: Binary): string {
  const context = join(engine.folder, "scratch");
  mkdirSync(context);
  copyFileSync(binary.path, join(context, "kleinhirn"));
  for (const library of librariesOf(binary.path)) {
    mkdirSync(join(context, dirname(library)), { recursive: true });
    copyFileSync(library, join(context, library));
  }
  compile(join(repository, "test/fixtures/programs/patient.c"), join(context, "patient"));
  const file = join(engine.folder, "scratch.dockerfile");
  writeFileSync(file, dockerfile);
  // Docker's own format, because the other one has no HEALTHCHECK.
  engine.do(
    "build",
    "-q",
    "--layers=false",
    "--format",
    "docker",
    "-t",
    "scratch-kleinhirn",
    "-f",
    file,
    context,
  );
  return "scratch-kleinhirn";
}

/** ldd(1): `NAME => PATH (ADDRESS)`, and the loader by its path alone. */
export function librariesOf(program: string): readonly string[] {
  const output = Bun.spawnSync(["ldd", program]).stdout.toString();
  return [...output.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x/gm)].flatMap(([, path]) => path ?? []);
}

function compile(source: string, program: string): void {
  const compiled = Bun.spawnSync(["cc", "-static", "-O1", "-o", program, source]);
  if (compiled.exitCode !== 0) throw new Error(`${source} does not compile:\n${compiled.stderr}`);
}
