import { describe, expect, test } from "bun:test";
import { loadConfig } from "../../src/config/load.ts";
import { createFakeWorld } from "./fake-world.ts";
import { loadSound, programFile, rubyFile } from "./loading.ts";

describe("defaults", () => {
  test("of a program", () => {
    expect(loadSound(programFile())).toEqual({
      file: "/srv/shop/shop.toml",
      supervisor: {
        name: "shop",
        socket: undefined,
        shutdownTimeoutMs: 25_000,
        drainDelayMs: 0,
        onFault: "stay",
        version: undefined,
      },
      healthCheck: undefined,
      log: { output: "stderr", level: "info", format: undefined },
      sets: [
        {
          name: "shop",
          count: 1,
          command: { type: "program", cmdline: ["sleep", "60"] },
          ack: "none",
          ackTimeoutMs: undefined,
          launchTimeoutMs: 30_000,
          maxStarting: undefined,
          stopSignal: "SIGTERM",
          stopTimeoutMs: 10_000,
          openFiles: undefined,
          minReady: 1,
          restart: { intensity: 5, periodMs: 60_000, backoffMs: 100, backoffMaxMs: 10_000 },
          cwd: "/srv/shop",
          env: Object.create(null),
        },
      ],
    });
  });

  test("of a ruby set", () => {
    expect(loadSound(rubyFile()).sets[0]).toMatchObject({
      ack: "message",
      command: {
        type: "ruby",
        gemfile: "/srv/shop/Gemfile",
        load: "/srv/shop/app.rb",
        startExpression: "Shop.run",
        loadTimeoutMs: 300_000,
      },
    });
  });

  test.each([
    ["1", 5],
    ["2", 6],
    ["4", 12],
  ])("with count = %s the intensity is %d, and all must be ready", (count, intensity) => {
    const set = loadSound(programFile(`count = ${count}`)).sets[0];
    expect(set?.restart.intensity).toBe(intensity);
    expect(set?.minReady).toBe(Number(count));
  });

  test.each([
    [4, 4],
    [0, 1],
    [0.5, 1],
    [2.9, 2],
  ])('on %d processors, count = "auto" is %d', (cpus, count) => {
    expect(loadSound(programFile('count = "auto"'), { cpus }).sets[0]?.count).toBe(count);
  });
});

test("every key of a set is read", () => {
  const set = loadSound(
    programFile(
      `count = 8
      ack = "message"
      ack_timeout = "1m"
      launch_timeout = "5s"
      max_starting = 2
      stop_signal = "SIGQUIT"
      stop_timeout = "20s"
      open_files = 1024
      min_ready = 0
      restart.intensity = 0
      restart.period = "2m"
      restart.backoff = "0s"
      restart.backoff_max = "0s"
      cwd = "work"
      env = { RAILS_ENV = "production", EMPTY = "" }`,
    ),
    { folders: ["/srv/shop/work"] },
  ).sets[0];
  expect(set).toMatchObject({
    count: 8,
    ack: "message",
    ackTimeoutMs: 60_000,
    launchTimeoutMs: 5000,
    maxStarting: 2,
    stopSignal: "SIGQUIT",
    stopTimeoutMs: 20_000,
    openFiles: 1024,
    minReady: 0,
    restart: { intensity: 0, periodMs: 120_000, backoffMs: 0, backoffMaxMs: 0 },
    cwd: "/srv/shop/work",
  });
  expect(Object.entries(set?.env ?? {})).toEqual([
    ["RAILS_ENV", "production"],
    ["EMPTY", ""],
  ]);
});

test("every key of the supervisor, of health and of the log is read", () => {
  const config = loadSound(
    `
    supervisor = { name = "shop.web-1", socket = "../run/s.sock", shutdown_timeout = "1m 30s", drain_delay = "5s", on_fault = "exit", version = "1.2 β" }
    health_check = { listen_addr = "unix:health.sock", endpoint = "/status" }
    log = { output = "stdout", level = "trace", format = "json" }
    worker = { type = "program", cmdline = ["/bin/sleep", "1"] }`,
    { folders: ["/srv/run"] },
  );
  expect(config.supervisor).toEqual({
    name: "shop.web-1",
    socket: "/srv/run/s.sock",
    shutdownTimeoutMs: 90_000,
    drainDelayMs: 5000,
    onFault: "exit",
    version: "1.2 β",
  });
  expect(config.healthCheck).toEqual({
    listen: { kind: "unix", path: "/srv/shop/health.sock" },
    endpoint: "/status",
  });
  expect(config.log).toEqual({ output: "stdout", level: "trace", format: { kind: "json" } });
});

describe("restart limits", () => {
  test.each([
    ["as a table", '[worker.restart]\nintensity = 9\nperiod = "2m"'],
    ["dotted", 'restart.intensity = 9\nrestart.period = "2m"'],
    ["inline", 'restart = { intensity = 9, period = "2m" }'],
  ])("%s", (_, text) => {
    expect(loadSound(programFile(text)).sets[0]?.restart).toEqual({
      intensity: 9,
      periodMs: 120_000,
      backoffMs: 100,
      backoffMaxMs: 10_000,
    });
  });
});

describe("log.format", () => {
  test.each([
    ['"logfmt"', { kind: "logfmt", printPrefix: false }],
    ['"json"', { kind: "json" }],
    ['{ format = "json" }', { kind: "json" }],
    ['{ format = "json", print_prefix = false }', { kind: "json" }],
    ['{ format = "logfmt" }', { kind: "logfmt", printPrefix: false }],
    ['{ format = "logfmt", print_prefix = false }', { kind: "logfmt", printPrefix: false }],
    ['{ format = "logfmt", print_prefix = true }', { kind: "logfmt", printPrefix: true }],
  ])("%s", (text, format) => {
    const config = loadSound(programFile("", `[log]\nformat = ${text}`));
    expect(config.log.format).toEqual(format as NonNullable<typeof config.log.format>);
  });
});

describe("ack", () => {
  test.each([
    ["", "none"],
    ["ack_workers = true", "message"],
    ["ack_workers = false", "none"],
    ['ack = "message"', "message"],
    ['ack = "none"\nack_workers = false', "none"],
    ['ack = "message"\nack_workers = true', "message"],
  ] as const)("%j in a program is %s", (text, ack) => {
    expect(loadSound(programFile(text)).sets[0]?.ack).toBe(ack);
  });

  test("a ruby set may do without", () => {
    expect(loadSound(rubyFile("ack_workers = false")).sets[0]?.ack).toBe("none");
  });
});

describe("sets", () => {
  test("[workers.NAME] are as many as one likes, in the order of the file", () => {
    const config = loadSound(`
      [supervisor]
      name = "shop"
      [workers.web]
      type = "ruby"
      load = "app.rb"
      start_expression = "Web.run"
      [workers."2.jobs"]
      type = "program"
      cmdline = ["sleep", "1"]
      [workers.__proto__]
      type = "program"
      cmdline = ["sleep", "2"]
      [workers.constructor]
      type = "program"
      cmdline = ["sleep", "3"]
      env.__proto__ = "a"
      env.constructor = "b"`);
    expect(config.sets.map((set) => set.name)).toEqual(["web", "2.jobs", "__proto__", "constructor"]);
    expect(config.sets[0]?.command).toMatchObject({ gemfile: undefined, startExpression: "Web.run" });
    const env = { ...config.sets[3]?.env };
    expect(Object.entries(env)).toEqual([
      ["__proto__", "a"],
      ["constructor", "b"],
    ]);
  });
});

describe("paths", () => {
  test("are relative to the file's folder, not to the current one", () => {
    const world = createFakeWorld({
      currentFolder: "/home/ada",
      files: {
        "/etc/app/k.toml": rubyFile('cwd = "../data"'),
        "/etc/app/app.rb": "",
        "/etc/app/Gemfile": "",
      },
      folders: ["/etc/data"],
    });
    const result = loadConfig("../../etc/app/k.toml", world);
    expect(result.ok && result.config.file).toBe("/etc/app/k.toml");
    expect(result.ok && result.config.sets[0]).toMatchObject({
      cwd: "/etc/data",
      command: { load: "/etc/app/app.rb", gemfile: "/etc/app/Gemfile" },
    });
  });

  test("a program's own path is relative to the set's folder", () => {
    const text = programFile('cwd = "app"').replace('"sleep"', '"bin/serve"');
    expect(loadSound(text, { programs: ["/srv/shop/app/bin/serve"] }).sets[0]?.cwd).toBe("/srv/shop/app");
  });

  test("a set's own PATH decides where its program is looked for", () => {
    const text = programFile('env.PATH = "/opt/tools"').replace('"sleep"', '"serve"');
    expect(loadSound(text, { programs: ["/opt/tools/serve"] }).sets).toHaveLength(1);
  });
});

describe("a file that can't be read", () => {
  test.each([
    ["absent.toml", "ENOENT", 'there is no configuration file "absent.toml" (ENOENT); name one with -f FILE'],
    ["/tmp", "EISDIR", 'the configuration file "/tmp" is a folder (EISDIR); name a file with -f FILE'],
    ["closed.toml", "EACCES", 'the configuration file "closed.toml" can\'t be read (EACCES)'],
  ])("%s", (file, code, message) => {
    const world = createFakeWorld({
      files: { "/srv/shop/closed.toml": "" },
      closed: ["/srv/shop/closed.toml"],
    });
    expect(loadConfig(file, world)).toEqual({ ok: false, reason: "unreadable", code, message });
  });
});
