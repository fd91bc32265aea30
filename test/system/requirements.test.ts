import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { OperatingSystemError } from "../../src/system/operating-system-error.ts";
import { checkRequirements } from "../../src/system/requirements.ts";
import { Fixture, fixtureFolder } from "./support/fixture.ts";
import { TemporaryFolder } from "./support/temporary-folder.ts";

test("this machine will do, and the check leaves nothing open", () => {
  checkRequirements();
  const before = readdirSync("/proc/self/fd").length;
  checkRequirements();
  expect(readdirSync("/proc/self/fd").length).toBe(before);
});

test("another system is refused by its name, without asking it for anything", () => {
  const openPidfd = () => {
    throw new Error("asked");
  };
  const check = () => checkRequirements({ platform: "darwin", openPidfd, waitForChildren: openPidfd });
  expect(check).toThrow(OperatingSystemError);
  expect(check).toThrow("kleinhirn runs on Linux only, this is darwin");
});

test.each(["ENOSYS", "EPERM"])("a sandbox that answers pidfd_open with %s is refused", (code) => {
  const check = () =>
    checkRequirements({ platform: "linux", openPidfd: () => code, waitForChildren: () => {} });
  expect(check).toThrow(OperatingSystemError);
  expect(check).toThrow(`pidfd_open: ${code}, kleinhirn needs Linux 5.3`);
});

test.skipIf(Bun.which("gcc") === null)("a real sandbox that denies pidfd_open is refused", async () => {
  using folder = new TemporaryFolder();
  const sandbox = folder.file("sandbox");
  const built = Bun.spawnSync(["gcc", "-o", sandbox, join(fixtureFolder, "deny-pidfd.c")]);
  expect(built.stderr.toString()).toBe("");
  await using fixture = new Fixture("requirements.ts", { wrapper: [sandbox] });
  expect(await fixture.waitFor("checked")).toMatchObject({ code: "EPERM", syscall: "pidfd_open" });
});
