import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import packageJson from "../../package.json" with { type: "json" };
import { type Command, parseCommandLine } from "../../src/cli/arguments.ts";
import { commands, version } from "../../src/cli/definitions.ts";
import { renderHelp } from "../../src/cli/help.ts";
import { UsageError } from "../../src/cli/usage-error.ts";

const defaultFile = "./kleinhirn.toml";

function refusal(...argv: string[]): UsageError {
  try {
    const command = parseCommandLine(argv);
    throw new Error(`accepted: ${JSON.stringify(command)}`);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
}

describe("run", () => {
  const file = (configFile: string): Command => ({ kind: "run", configFile, program: undefined });

  test.each([
    [[], defaultFile],
    [["run"], defaultFile],
    [["-f", "a.toml"], "a.toml"],
    [["-fa.toml"], "a.toml"],
    [["--config-file", "a.toml"], "a.toml"],
    [["--config-file=a.toml"], "a.toml"],
    [["--config-file=-"], "-"],
    [["--config-file=a=b"], "a=b"],
    [["-f", "-"], "-"],
    [["-f", "run"], "run"],
    [["-f", "a.toml", "run"], "a.toml"],
    [["run", "-f", "a.toml"], "a.toml"],
  ])("%j reads the file %j", (argv, configFile) => {
    expect(parseCommandLine(argv)).toEqual(file(configFile));
  });

  test.each([
    [["--", "true"], { argv: ["true"] }],
    [["run", "--", "web", "--port", "1"], { argv: ["web", "--port", "1"] }],
    [["run", "-n", "4", "--name", "shop", "--", "web"], { argv: ["web"], count: "4", name: "shop" }],
    [
      ["-n4", "--name=shop", "run", "--", "web", "-f", "--", "-h"],
      { argv: ["web", "-f", "--", "-h"], count: "4", name: "shop" },
    ],
    [["run", "--count", "auto", "--", "web", ""], { argv: ["web", ""], count: "auto" }],
  ])("%j runs a program", (argv, program) => {
    const command = {
      kind: "run",
      configFile: defaultFile,
      program: { count: undefined, name: undefined, ...program },
    };
    expect<unknown>(parseCommandLine(argv)).toEqual(command);
  });
});

describe("the other commands", () => {
  test.each<[string[], Command]>([
    [["check"], { kind: "check", configFile: defaultFile }],
    [["check", "-f", "a.toml"], { kind: "check", configFile: "a.toml" }],
    [["-f", "a.toml", "check"], { kind: "check", configFile: "a.toml" }],
    [["ack"], { kind: "ack" }],
    [["health"], { kind: "health", url: undefined, configFile: undefined }],
    [["health", "--url", "unix:/h"], { kind: "health", url: "unix:/h", configFile: undefined }],
    [["health", "-f", "a.toml"], { kind: "health", url: undefined, configFile: "a.toml" }],
    [["--version"], { kind: "version" }],
    [["run", "--version"], { kind: "version" }],
    [["health", "--version"], { kind: "version" }],
    [["--help"], { kind: "help", topic: undefined }],
    [["-h"], { kind: "help", topic: undefined }],
    [["run", "--help"], { kind: "help", topic: "run" }],
    [["-h", "ack"], { kind: "help", topic: "ack" }],
    [["check", "--whatever", "-f", "--help"], { kind: "help", topic: "check" }],
  ])("%j", (argv, command) => {
    expect(parseCommandLine(argv)).toEqual(command);
  });
});

describe("what is wrong is named", () => {
  test.each([
    [["--verison"], 'unknown flag "--verison"; did you mean --version?'],
    [["run", "--confg-file=x"], 'unknown flag "--confg-file"; did you mean --config-file?'],
    [["-v"], 'unknown flag "-v"'],
    [["-hf"], 'unknown flag "-hf"'],
    [["--no-help"], 'unknown flag "--no-help"; did you mean --help?'],
    [["--constructor"], 'unknown flag "--constructor"'],
    [["ack", "-f", "x"], '"-f" is no flag of "kleinhirn ack"'],
    [["check", "--url=x"], '"--url" is no flag of "kleinhirn check"'],
    [["-n", "3", "check"], '"-n" is no flag of "kleinhirn check"'],
    [["-f"], "-f needs a value: -f FILE"],
    [["-f", "--name", "x"], "-f needs a value: -f FILE"],
    [["--config-file="], "--config-file needs a value: --config-file FILE"],
    [["-f", ""], "-f needs a value: -f FILE"],
    [["-n", "-3", "--", "web"], "-n needs a value: -n COUNT"],
    [["-n", "--", "web"], "-n needs a value: -n COUNT"],
    [["-n=3", "--", "web"], '"-n=3" has a = too many: write -n COUNT'],
    [["--version=3"], '--version takes no value, not "3"'],
    [["-f", "a", "-f", "b"], '"-f" is given twice'],
    [["-f", "a", "--config-file=a"], '"--config-file" is given twice'],
    [["chekc"], 'unknown command "chekc"; did you mean check?'],
    [["sleep", "10"], 'unknown command "sleep"; a program to supervise goes after --'],
    [["shop", "--", "web"], 'unknown command "shop"'],
    [["constructor"], 'unknown command "constructor"; a program to supervise goes after --'],
    [[""], 'unknown command ""; a program to supervise goes after --'],
    [["run", "web"], 'stray argument "web"; a program to supervise goes after --'],
    [["check", "a.toml"], 'stray argument "a.toml"'],
    [["ack", "\u001b[31m\n"], 'stray argument "\\u001b[31m\\n"'],
    [["run", "--"], "after -- belongs a program to supervise: kleinhirn run -- CMD ARG…"],
    [["run", "--", ""], "after -- belongs a program to supervise: kleinhirn run -- CMD ARG…"],
    [["check", "--", "web"], 'only "kleinhirn run" takes a program after --'],
    [
      ["-f", "a", "--", "web"],
      "-f and -- CMD contradict each other: a program that is given here needs no file",
    ],
    [["-n", "3"], "-n goes with -- CMD alone; in a configuration file it is worker.count"],
    [["--name", "shop"], "--name goes with -- CMD alone; in a configuration file it is supervisor.name"],
    [["health", "--url", "x", "-f", "y"], "--url and -f contradict each other: each names an address"],
  ])("%j", (argv, message) => {
    expect(refusal(...argv).message).toBe(message);
  });

  test("with the command whose help explains it", () => {
    expect(refusal("check", "x").topic).toBe("check");
    expect(refusal("--bogus").topic).toBe("run");
    expect(refusal("chekc").topic).toBeUndefined();
  });

  test("whatever the arguments are, they are understood completely or refused", () => {
    const argument = fc.oneof(
      fc.constantFrom(
        "run",
        "check",
        "ack",
        "health",
        "-f",
        "-n",
        "--name",
        "--url",
        "--config-file=x",
        "-n4",
        "--",
        "-",
      ),
      fc.string({ maxLength: 6 }),
    );
    fc.assert(
      fc.property(fc.array(argument, { maxLength: 6 }), (argv) => {
        let command: Command;
        try {
          command = parseCommandLine(argv);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
          return;
        }
        if (command.kind === "help" || command.kind === "version") return;
        // Every argument is found again in what was understood, so none was passed over.
        const understood = JSON.stringify(command);
        for (const text of argv.filter((text) => !/^(-f|-n|--name|--url|--)$/.test(text))) {
          const value = text.replace(/^(-n|-f|--config-file=|--name=|--url=|--count=)/, "");
          expect(understood).toContain(JSON.stringify(value).slice(1, -1));
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("help", () => {
  const topics = [undefined, ...(Object.keys(commands) as (keyof typeof commands)[])];

  test.each(topics)("of %p shows usage, every flag, an example and the exit statuses", async (topic) => {
    const text = await renderHelp(topic, false);
    expect(text).toContain(`USAGE kleinhirn ${topic ?? "[OPTIONS]"}`);
    const { args } = commands[topic ?? "run"];
    for (const name of Object.keys(args).filter((flag) => !flag.startsWith("-")))
      expect(text).toContain(`--${name}`);
    expect(text).toMatch(/\nEXAMPLES\n\n {2}\S/);
    expect(text).toMatch(/\nEXIT STATUS\n\n {2}0 {3}\S/);
    expect(text).not.toMatch(/[\u001b]| \n/);
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(110);
  });

  test("names the commands, the defaults, and what may follow --", async () => {
    const overview = await renderHelp(undefined, false);
    for (const name of Object.keys(commands)) expect(overview).toMatch(new RegExp(`^ +${name} {4}`, "m"));
    expect(overview).toContain("(Default: ./kleinhirn.toml)");
    expect(await renderHelp("run", false)).toContain("[-- CMD ARG…]");
  });

  test("has colours where they are wanted", async () => {
    expect(Bun.stripANSI(await renderHelp("run", true))).toBe(await renderHelp("run", false));
  });
});

test("the version is that of the package", () => {
  expect(version).toBe(packageJson.version);
});
