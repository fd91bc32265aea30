import { join } from "node:path";

export { isBuilt, kleinhirn } from "../../script/lib/program.ts";

export const repository = join(import.meta.dir, "../..");
