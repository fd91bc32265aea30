import { describe, expect, test } from "bun:test";
import { formatConfigErrors } from "../../src/config/config-error.ts";
import { type CommandLine, configFromCommand } from "../../src/config/from-command-line.ts";
import { createFakeWorld, type FakeMachine } from "./fake-world.ts";
import { loadSound } from "./loading.ts";

function configure(line: Partial<CommandLine>, machine?: FakeMachine) {
  const whole = { count: undefined, name: undefined, argv: ["sleep", "60"], cwd: "/srv/shop", ...line };
  return configFromCommand(whole, createFakeWorld({ folders: ["/srv/shop"], ...machine }));
}

function configureSound(line: Partial<CommandLine>, machine?: FakeMachine) {
  const result = configure(line, machine);
  if (!result.ok) throw new Error(JSON.stringify(result));
  return result.config;
}

function configureMessages(line: Partial<CommandLine>, machine?: FakeMachine): readonly string[] {
  const result = configure(line, machine);
  if (result.ok || result.reason !== "invalid") throw new Error("it is valid");
  return formatConfigErrors(result.errors).split("\n");
}

test("everything that isn't given is as in a file that doesn't give it", () => {
  const file = loadSound(
    '[supervisor]\nname = "web"\n[worker]\ncount = 3\ntype = "program"\ncmdline = ["sleep", "60"]',
  );
  expect(configureSound({ count: "3", name: "web" })).toEqual({ ...file, file: undefined });
});

describe("the name", () => {
  test.each([
    [["sleep", "1"], "sleep"],
    [["/bin/sleep"], "sleep"],
    [["./my app.sh"], "my-app.sh"],
    [["./-x"], "x"],
    [["./ö"], "kleinhirn"],
  ])("of %j is %s", (argv, name) => {
    const config = configureSound(
      { argv },
      { programs: ["/srv/shop/my app.sh", "/srv/shop/-x", "/srv/shop/ö"] },
    );
    expect(config.supervisor.name).toBe(name);
    expect(config.sets[0]?.name).toBe(name);
  });
});

test('-n auto is the same as count = "auto"', () => {
  expect(configureSound({ count: "auto" }, { cpus: 7 }).sets[0]?.count).toBe(7);
});

describe("mistakes are told with the option's name", () => {
  test.each([
    [{ count: "0" }, "-n: expected an integer from 1 to 1000"],
    [{ count: "-1" }, "-n: expected an integer from 1 to 1000"],
    [{ count: "many" }, '-n: expected an integer from 1 to 1000, or "auto", found "many" (a string)'],
    [{ count: "2.5" }, 'found "2.5" (a string)'],
    [{ count: "" }, 'found "" (a string)'],
    [{ count: "99999999999999999999" }, "-n: expected an integer from 1 to 1000"],
    [{ name: "a/b" }, "--name: expected a name"],
    [{ name: "" }, "--name: expected a name"],
    [{ argv: [] }, "CMD: expected an array of strings"],
    [{ argv: [""] }, "CMD: expected the name or path of a program, found an empty string"],
    [
      { argv: ["slep"] },
      'CMD: expected a program that can be executed, found "slep", which is in no folder of PATH',
    ],
    [{ argv: ["./slep"] }, 'found "./slep" at "/srv/shop/slep", which isn\'t there (ENOENT)'],
    [{ argv: ["sleep", "a\0"] }, "ARG 1: expected a string without NUL characters"],
  ])("%j", (line, message) => {
    expect(configureMessages(line)).toEqual([expect.stringContaining(message)]);
  });

  test("all at once", () => {
    expect(configureMessages({ count: "x", name: "/", argv: ["slep"] })).toHaveLength(3);
  });
});
