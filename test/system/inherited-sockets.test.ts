import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { InheritedSocketsError, readInheritedSockets } from "../../src/system/inherited-sockets.ts";
import { fcntl } from "../../src/system/libc.ts";
import { Fixture } from "./support/fixture.ts";
import { fallbackProgram, steps } from "./support/steps.ts";

setDefaultTimeout(60_000);

/** A number at which something is open that could have been inherited. */
class OpenAt implements Disposable {
  readonly descriptor: number;

  constructor(atLeast: number) {
    const file = openSync("/dev/null", "r");
    const duplicate = 0; // F_DUPFD
    const answer = fcntl(file, duplicate, atLeast);
    closeSync(file);
    if (!answer.ok) throw new Error(answer.code);
    this.descriptor = answer.value;
  }

  [Symbol.dispose](): void {
    closeSync(this.descriptor);
  }
}

describe("what the environment announces", () => {
  test("is nothing without LISTEN_FDS, with an empty one, or with none", () => {
    expect(readInheritedSockets({})).toEqual({ kind: "none" });
    expect(readInheritedSockets({ LISTEN_PID: "1", LISTEN_FDS: "" })).toEqual({ kind: "none" });
    expect(readInheritedSockets({ LISTEN_FDS: "0" })).toEqual({ kind: "none" });
  });

  test("is for another process when LISTEN_PID is not ours", () => {
    const environment = { LISTEN_FDS: "1", LISTEN_PID: "4711" };
    expect(readInheritedSockets(environment, 4712)).toEqual({ kind: "foreign", pid: 4711 });
  });

  test("is ours with our pid, and without any", () => {
    using open = new OpenAt(100);
    const first = open.descriptor;
    const environment = { LISTEN_FDS: "1", LISTEN_FDS_FIRST_FD: String(first), LISTEN_FDNAMES: "web" };
    const sockets = { firstDescriptor: first, count: 1, names: "web" };
    expect(readInheritedSockets(environment)).toEqual({ kind: "inherited", sockets });
    const withPid = { ...environment, LISTEN_PID: String(process.pid) };
    expect(readInheritedSockets(withPid)).toEqual({ kind: "inherited", sockets });
  });

  test.each([
    ["LISTEN_FDS", "two"],
    ["LISTEN_FDS", "-1"],
    ["LISTEN_FDS", "1.5"],
    ["LISTEN_FDS", "99999999999"],
    ["LISTEN_PID", "me"],
    ["LISTEN_PID", "0"],
    ["LISTEN_FDS_FIRST_FD", "2"],
    ["LISTEN_FDS_FIRST_FD", " 3"],
  ])("is refused by name when %s is %p", (variable, value) => {
    const announce = () => readInheritedSockets({ LISTEN_FDS: "1", [variable]: value });
    expect(announce).toThrow(InheritedSocketsError);
    expect(announce).toThrow(`${variable} is ${JSON.stringify(value)}`);
  });

  test("is refused when there are not as many names as descriptors", () => {
    const environment = { LISTEN_FDS: "2", LISTEN_FDNAMES: "web" };
    expect(() => readInheritedSockets(environment)).toThrow("LISTEN_FDNAMES has 1 name");
  });

  test("is refused when a descriptor is closed, by its number", () => {
    using open = new OpenAt(120);
    const environment = { LISTEN_FDS: "2", LISTEN_FDS_FIRST_FD: String(open.descriptor) };
    expect(() => readInheritedSockets(environment)).toThrow(`but ${open.descriptor + 1} is not open`);
  });
});

/** `extra` are the descriptors from 3 on, as the supervisor is started with them. */
function startHeir(
  kind: string,
  announced: string,
  environment: Readonly<Record<string, string>>,
  extra: readonly (number | "ignore")[],
): Fixture {
  return new Fixture("socket-heir.ts", { args: [kind, announced, ...fallbackProgram], environment, extra });
}

/** `NUMBER socket` of what the child listed above 2, without the folder that ls itself has open. */
function descriptorsOf(output: string): string[] {
  const found = Array.from(output.matchAll(/ (\d+) -> (\S+)/g), ([, number, target = ""]) => ({
    number: Number(number),
    target,
  }));
  return found
    .filter(({ number, target }) => number > 2 && !/^\/proc\/\d+\/fd$/.test(target))
    .sort((one, other) => one.number - other.number)
    .map(({ number, target }) => `${number} ${target.replace(/:.*/, "")}`);
}

class Listener implements Disposable {
  readonly #server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });

  /** Bun has it, its types don't. */
  get fd(): number {
    if ("fd" in this.#server && typeof this.#server.fd === "number") return this.#server.fd;
    throw new Error("a listener without a descriptor");
  }

  [Symbol.dispose](): void {
    this.#server.stop();
  }
}

describe.each(steps)("a supervisor that was started with sockets, by the $kind step", ({ kind }) => {
  test("hands them on at 3 and above, with the child's own LISTEN_PID", async () => {
    using one = new Listener();
    using other = new Listener();
    const environment = { LISTEN_FDS: "2", LISTEN_PID: "own", LISTEN_FDNAMES: "web:admin" };
    await using heir = startHeir(kind, "announced", environment, [one.fd, other.fd]);
    expect(await heir.waitFor("exited")).toMatchObject({ exit: { kind: "exited", code: 0 } });
    await heir.exited();
    expect(variableOf(heir, "LISTEN_PID")).toBe(variableOf(heir, "pid"));
    expect(variableOf(heir, "LISTEN_FDS")).toBe("2");
    expect(variableOf(heir, "LISTEN_FDNAMES")).toBe("web:admin");
    expect(variableOf(heir, "LISTEN_FDS_FIRST_FD")).toBeUndefined();
    const status = variableOf(heir, "STATUS");
    expect(descriptorsOf(heir.output)).toEqual(["3 socket", "4 socket", `${status} socket`]);
  });

  test("hands them on from LISTEN_FDS_FIRST_FD on, with nothing below but the ack descriptor", async () => {
    using socket = new Listener();
    const environment = { LISTEN_FDS: "1", LISTEN_FDS_FIRST_FD: "10" };
    const stray = socket.fd;
    const gap = ["ignore", "ignore", "ignore", "ignore"] as const;
    // 3 and 9 are open in the supervisor, and none of the child's business.
    const extra = [stray, "ignore", ...gap, stray, socket.fd, stray] as const;
    await using heir = startHeir(kind, "announced", environment, extra);
    expect(await heir.waitFor("exited")).toMatchObject({ exit: { kind: "exited", code: 0 } });
    await heir.exited();
    expect(variableOf(heir, "LISTEN_PID")).toBe(variableOf(heir, "pid"));
    expect(variableOf(heir, "LISTEN_FDS_FIRST_FD")).toBe("10");
    const status = variableOf(heir, "STATUS");
    expect(descriptorsOf(heir.output)).toEqual([`${status} socket`, "10 socket"]);
  });

  test("lets a preloader keep them without taking them for its own", async () => {
    using socket = new Listener();
    await using heir = startHeir(kind, "kept", { LISTEN_FDS: "1" }, [socket.fd]);
    expect(await heir.waitFor("exited")).toMatchObject({ exit: { kind: "exited", code: 0 } });
    await heir.exited();
    expect(heir.output).not.toContain("LISTEN_");
    expect(descriptorsOf(heir.output)).toContain("3 socket");
  });
});

test("descriptors that were announced and closed are not mistaken for Bun's own, which take their numbers", async () => {
  await using heir = startHeir("memory", "announced", { LISTEN_FDS: "1" }, []);
  expect(await heir.exited()).toBe(69);
  expect((await heir.waitFor("refused")).message).toContain("announces descriptor 3, but 3 is not open");
  using socket = new Listener();
  await using other = startHeir("memory", "announced", { LISTEN_FDS: "2" }, [socket.fd]);
  expect(await other.exited()).toBe(69);
  expect((await other.waitFor("refused")).message).toContain("but 4 is not open");
});

function variableOf(heir: Fixture, name: string): string | undefined {
  return new RegExp(`^${name}=(.*)$`, "m").exec(heir.output)?.[1];
}
