/** The Ruby gem as one program, for a built kleinhirn: ruby/embedded/program.rb, and the gem's files as strings. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "./repository-files.ts";

const gem = join(repositoryRoot, "ruby");
const executable = "exe/kleinhirn_loader";

export function composeGemProgram(): string {
  const sources = listGemFiles().map((path) => quoteSource(path, rewireRequires(path, readGemFile(path))));
  return [
    readGemFile("embedded/program.rb"),
    `KleinhirnLoader::EmbeddedGem.mount(ARGV.shift, {\n${sources.join("")}}, "${executable}")`,
    `KleinhirnLoader::EmbeddedGem.run("${executable}")\n`,
  ].join("\n");
}

function readGemFile(path: string): string {
  return readFileSync(join(gem, path), "utf8");
}

/** Sorted, so that two builds of one commit are the same, whatever order the file system lists. */
function listGemFiles(): string[] {
  const library = readdirSync(join(gem, "lib"), { recursive: true, encoding: "utf8" });
  const files = library.filter((path) => path.endsWith(".rb")).map((path) => `lib/${path}`);
  return [...files, executable].sort();
}

const ownRequire = /^(\s*)require "(kleinhirn_loader(?:\/\w+)*)"$/gm;
/** What would look for a file that isn't there. */
const unwired =
  /^\s*(?:require_relative|autoload|load)\b.*|(?<!EmbeddedGem\.)\brequire[ (]["']kleinhirn_loader.*|__dir__.*/m;

/** The gem's files call for one another by way of the embedded gem; every other `require` stays Ruby's own. */
export function rewireRequires(path: string, source: string): string {
  const rewired = source.replaceAll(ownRequire, '$1KleinhirnLoader::EmbeddedGem.require "$2"');
  const left = unwired.exec(rewired);
  if (left !== null)
    throw new Error(
      `ruby/${path}: "${left[0].trim()}" can't be built in: write require "kleinhirn_loader/…"`,
    );
  return rewired;
}

/** As a raw here-document: no character in it means anything, and only its end has to be unlike every line. */
function quoteSource(path: string, source: string): string {
  const end = "END_OF_FILE";
  if (source.split("\n").some((line) => line.trim() === end))
    throw new Error(`ruby/${path} has a line ${end}`);
  if (!source.endsWith("\n")) throw new Error(`ruby/${path} does not end with a newline`);
  return `  "${path}" => <<'${end}',\n${source}${end}\n`;
}
