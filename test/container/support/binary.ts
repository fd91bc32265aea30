/** The program as one file, which images and unprivileged users can run: the repository itself may be anywhere. */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repository } from "../../helpers/running.ts";

export class Binary implements Disposable {
  /** Readable for every user, as what is in it. */
  readonly folder: string;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "kleinhirn-binary-"));
    chmodSync(this.folder, 0o755);
    const built = Bun.spawnSync(
      [
        ...[process.execPath, "build", "--compile"],
        ...["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"],
        ...[join(repository, "kleinhirn.ts"), "--outfile", this.path],
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    if (built.exitCode === 0) return;
    this[Symbol.dispose]();
    throw new Error(`the binary could not be built:\n${built.stderr.toString()}`);
  }

  get path(): string {
    return join(this.folder, "kleinhirn");
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
