import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { createFakeWorld } from "./fake-world.ts";

/** Loads a file of one of the shapes that the original kleinhirn came with, as `/srv/config/shop.toml`. */
function loadFixture(name: string): Config {
  const text = readFileSync(new URL(`./fixtures/${name}`, import.meta.url), "utf8");
  const files = {
    "/srv/config/shop.toml": text,
    "/srv/application/Gemfile": "",
    "/srv/application/sleepy.rb": "",
  };
  const result = loadConfig("/srv/config/shop.toml", createFakeWorld({ files }));
  if (!result.ok) throw new Error(JSON.stringify(result));
  return result.config;
}

describe("files of the original are read as they are", () => {
  test("a preloaded Ruby application", () => {
    const config = loadFixture("ruby.toml");
    expect(config.log).toEqual({ output: "stderr", level: "debug", format: undefined });
    expect(config.healthCheck).toEqual({
      listen: { kind: "tcp", hostname: "127.0.0.1", port: 3000 },
      endpoint: "/healthz",
    });
    expect(config.sets).toHaveLength(1);
    expect(config.sets[0]).toMatchObject({
      name: "sleepy-heads",
      count: 3,
      ack: "message",
      ackTimeoutMs: undefined,
      cwd: "/srv/config",
      command: {
        type: "ruby",
        gemfile: "/srv/application/Gemfile",
        load: "/srv/application/sleepy.rb",
        startExpression: "sleepy_main",
        loadTimeoutMs: 300_000,
      },
    });
  });

  test("a program", () => {
    const config = loadFixture("program.toml");
    expect(config.healthCheck).toBeUndefined();
    expect(config.sets[0]).toMatchObject({
      name: "listens-on-a-port",
      count: 1,
      ack: "none",
      cwd: "/",
      command: { type: "program", cmdline: ["nc", "-vvvl", "127.0.0.1", "8000"] },
    });
    expect(Object.keys(config.sets[0]?.env ?? { x: "" })).toEqual([]);
  });

  test("a program whose workers ack, a socket, and the table for the log's format", () => {
    const config = loadFixture("program-with-acks.toml");
    expect(config.supervisor.socket).toBe("/tmp/sleepy-heads.sock");
    expect(config.log).toEqual({
      output: "stdout",
      level: "info",
      format: { kind: "logfmt", printPrefix: true },
    });
    expect(config.sets[0]).toMatchObject({ count: 3, ack: "message", ackTimeoutMs: 1000 });
  });
});
