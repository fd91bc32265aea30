/** The program as one file, which images and unprivileged users can run: the repository itself may be anywhere. */
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "../../helpers/built.ts";
import { isBuilt, kleinhirn, repository } from "../../helpers/program.ts";

export class Binary implements Disposable {
  /** Readable for every user, as what is in it. */
  readonly folder = mkdtempSync(join(tmpdir(), "kleinhirn-binary-"));
  readonly path = join(this.folder, "kleinhirn");

  constructor() {
    chmodSync(this.folder, 0o755);
    try {
      // Where the tests are run against one that was built, it is that one.
      if (isBuilt) copyFileSync(kleinhirn[0], this.path);
      else build(repository, this.folder);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
