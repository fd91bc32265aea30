import { expect, test } from "bun:test";
import { inheritedEnvironment } from "../../src/system/environment.ts";

test("what is about the supervisor is not handed down, and everything else is", () => {
  const own = {
    PATH: "/bin",
    EMPTY: "",
    BUN_INSTALL: "/opt/bun",
    KLEINHIRN_NAME: "outer",
    BUN_OPTIONS: "--smol",
    BUN_BE_BUN: "1",
    BUN_JSC_useConcurrentJIT: "0",
    NOTIFY_SOCKET: "@systemd",
    WATCHDOG_USEC: "1000",
    WATCHDOG_PID: "1",
    LISTEN_PID: "1",
    LISTEN_FDS: "2",
    LISTEN_FDNAMES: "a:b",
    LISTEN_FDS_FIRST_FD: "10",
    UNSET: undefined,
  };
  expect(inheritedEnvironment(own)).toEqual({
    PATH: "/bin",
    EMPTY: "",
    BUN_INSTALL: "/opt/bun",
    KLEINHIRN_NAME: "outer",
  });
});
