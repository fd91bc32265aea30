/** Prints the npm packages that a call of script/build with these arguments needs, one a line. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "./repository-files.ts";
import { findRuntime, packageOf, targets } from "./runtimes.ts";

const args = process.argv.slice(2);
const version = readFileSync(join(repositoryRoot, ".bun-version"), "utf8").trim();

// All or none: npm would take away the others.
const isForOthers = args.some((argument) => /^--(all|target)\b/.test(argument));
const missing = isForOthers ? targets.filter((target) => findRuntime(target) === undefined) : [];
for (const target of missing.length > 0 ? targets : []) console.log(`${packageOf(target)}@${version}`);
