import { describe, expect, test } from "bun:test";
import { type DescriptorPlan, planDescriptors } from "../src/descriptor-plan.ts";
import { StartError } from "../src/start-error.ts";
import { loadSound, programFile, rubyFile } from "./config/loading.ts";

const health = '[health_check]\nlisten_addr = "127.0.0.1:0"';

function plan(text: string, limit: number, sockets = 0): DescriptorPlan {
  return planDescriptors(loadSound(text), sockets, limit);
}

/** The least limit that is taken. */
function least(text: string, sockets = 0): number {
  for (let limit = 1; limit < 10_000; limit += 1) {
    try {
      plan(text, limit, sockets);
      return limit;
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      expect(error.kind).toBe("refused");
      expect(error.message).toContain(`only ${limit} open descriptors are allowed`);
    }
  }
  return Number.POSITIVE_INFINITY;
}

describe("what a configuration needs at the least", () => {
  test.each([
    ["a program", programFile(), 0, 32 + 1 + 8],
    ["ten of them", programFile("count = 10"), 0, 32 + 10 + 8],
    ["that ack", programFile('count = 10\nack = "message"'), 0, 32 + 10 + 10 + 10 + 8],
    ["health", programFile("", health), 0, 32 + 1 + 8 + 8],
    ["inherited sockets", programFile(), 3, 32 + 1 + 3 + 8],
    ["forked workers that ack, and their preloader", rubyFile("count = 10"), 0, 32 + 3 + 10 + 8],
  ])("%s", (_, text, sockets, expected) => {
    expect(least(text, sockets)).toBe(expected);
  });
});

describe("what is left", () => {
  test("is halved between the doors, above the least of each", () => {
    const text = programFile('count = 4\nack = "message"', health);
    expect(plan(text, 60)).toEqual({ socketConnections: 12, healthConnections: 8 });
    expect(plan(text, 160)).toEqual({ socketConnections: 12 + 50, healthConnections: 8 + 50 });
  });

  test("is bounded, for connections cost memory; but every worker may ack", () => {
    const few = programFile("", health);
    const acking = (name: string) =>
      `[workers.${name}]\ntype = "ruby"\nload = "app.rb"\nstart_expression = "a"\ncount = 1000\n`;
    const many = `[supervisor]\nname = "shop"\n${["a", "b", "c"].map(acking).join("")}`;
    expect(plan(few, 1_000_000)).toEqual({ socketConnections: 2048, healthConnections: 2048 });
    expect(plan(few, Number.POSITIVE_INFINITY)).toEqual({ socketConnections: 2048, healthConnections: 2048 });
    expect(plan(many, 1_000_000).socketConnections).toBe(3008);
  });
});
