import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import {
  encodeAck,
  encodeReply,
  encodeSpawn,
  type ParseResult,
  parseMessage,
  parseReply,
} from "../../src/protocol/messages.ts";

function reasonOf(result: ParseResult): string {
  return result.ok ? `accepted: ${JSON.stringify(result.message)}` : result.reason;
}

describe("what a worker says", () => {
  test.each([
    ['{"action":"ack","id":"w-1"}', { action: "ack", id: "w-1" }],
    ['{"action":"ack","id":"w-1","later":{"version":2}}\r', { action: "ack", id: "w-1" }],
    [
      '{"action":"error","id":"w-1","message":"boom","error":"boom (RuntimeError)\\n\\tfrom a.rb:1"}',
      { action: "error", id: "w-1", message: "boom", error: "boom (RuntimeError)\n\tfrom a.rb:1" },
    ],
    [
      '{"action":"error","id":"w-1","message":"boom"}',
      { action: "error", id: "w-1", message: "boom", error: "" },
    ],
  ])("%s", (line, message) => {
    expect(parseMessage(line, "worker")).toEqual({ ok: true, from: "worker", message } as ParseResult);
  });

  test.each([
    ["", "the line is not JSON: Unexpected EOF"],
    ["hello", 'the line is not JSON: Unexpected identifier "hello"'],
    ["null", "a message is a JSON object, not null"],
    ["[]", "a message is a JSON object, not an array"],
    ['"ack"', 'a message is a JSON object, not "ack"'],
    ["{}", '"action" is missing; it must be one of ack, error'],
    ['{"action":"launched","id":"x","pid":2}', '"action" must be one of ack, error, not "launched"'],
    ['{"action":["ack"],"id":"x"}', '"action" must be one of ack, error, not an array'],
    ['{"action":"toString"}', '"action" must be one of ack, error, not "toString"'],
    ['{"action":"ack"}', '"id" is missing; it must be a string'],
    ['{"action":"ack","id":7}', '"id" must be a string, not 7'],
    ['{"action":"ack","id":""}', '"id" must be 1 to 128 characters long, not ""'],
    ['{"action":"ack","__proto__":{"id":"w-1"}}', '"id" is missing; it must be a string'],
    ['{"__proto__":{"action":"ack","id":"w-1"}}', '"action" is missing; it must be one of ack, error'],
    ['{"action":"error","id":"x","message":"m","error":["a"]}', '"error" must be a string, not an array'],
  ])("%s is refused", (line, reason) => {
    expect(reasonOf(parseMessage(line, "worker"))).toBe(reason);
  });

  test("has ids of 128 characters at the most", () => {
    const ack = (length: number) => parseMessage(encodeAck("x".repeat(length)), "worker").ok;
    expect([ack(128), ack(129)]).toEqual([true, false]);
  });

  test("is quoted in part only", () => {
    const { length } = reasonOf(parseMessage(`{"action":"${"x".repeat(60_000)}"}`, "worker"));
    expect(length).toBeLessThan(200);
    expect(reasonOf(parseMessage("x".repeat(60_000), "worker")).length).toBeLessThan(200);
  });
});

describe("what the preloader says", () => {
  test.each([
    ['{"action":"hello","pid":4242,"protocol":1}', { action: "hello", pid: 4242, protocol: 1 }],
    ['{"action":"loading","file":"/app/app.rb"}', { action: "loading", file: "/app/app.rb" }],
    ['{"action":"ready"}', { action: "ready" }],
    ['{"action":"standby","pid":2}', { action: "standby", pid: 2 }],
    ['{"action":"launched","id":"w-1","pid":4194304}', { action: "launched", id: "w-1", pid: 4194304 }],
    [
      '{"action":"failed","id":"w-1","message":"fork: EAGAIN"}',
      { action: "failed", id: "w-1", message: "fork: EAGAIN" },
    ],
    [
      '{"action":"failed","id":"w-1","message":"no more","errno":"EAGAIN"}',
      { action: "failed", id: "w-1", message: "no more", errno: "EAGAIN" },
    ],
    [
      '{"action":"error","message":"boom","error":"trace"}',
      { action: "error", message: "boom", error: "trace" },
    ],
    ['{"action":"error","message":"boom","error":null}', { action: "error", message: "boom", error: "" }],
  ])("%s", (line, message) => {
    expect(parseMessage(line, "preloader")).toEqual({ ok: true, from: "preloader", message } as ParseResult);
  });

  test.each([
    '{"action":"hello","pid":1,"protocol":1}',
    '{"action":"hello","pid":"4242","protocol":1}',
    '{"action":"hello","pid":4242}',
    '{"action":"hello","pid":4242,"protocol":0}',
    '{"action":"hello","pid":4242,"protocol":1.5}',
    '{"action":"launched","id":"w-1","pid":4194305}',
    '{"action":"launched","id":"w-1","pid":-2}',
    '{"action":"launched","id":"w-1","pid":2.5}',
    '{"action":"launched","id":"w-1","pid":1e999}',
    '{"action":"launched","pid":2}',
    '{"action":"standby","pid":1}',
    '{"action":"standby"}',
    '{"action":"failed","id":"w-1"}',
    '{"action":"failed","id":"w-1","message":"no more","errno":11}',
    '{"action":"loading"}',
    '{"action":"error"}',
    '{"action":"log","level":"warn","msg":"m"}',
    '{"action":"log","level":"info"}',
    '{"action":"ack","id":"w-1"}',
  ])("%s is refused", (line) => {
    expect(parseMessage(line, "preloader").ok).toBeFalse();
  });

  test("may be an event for the log, with fields of every kind", () => {
    const line =
      '{"action":"log","level":"warning","msg":"threads alive","threads":2,"at":"a.rb:1","list":[1,{"a":null}],"none":null,"ok":true,"__proto__":"p"}';
    const fields = { threads: 2, at: "a.rb:1", list: '[1,{"a":null}]', ok: true, ["__proto__"]: "p" };
    const parsed = parseMessage(line, "preloader");
    expect(parsed).toEqual({
      ok: true,
      from: "preloader",
      message: { action: "log", level: "warning", message: "threads alive", fields },
    });
  });

  test("does not become a prototype", () => {
    const parsed = parseMessage('{"action":"log","level":"info","msg":"m","__proto__":"p"}', "preloader");
    const fields = parsed.ok && parsed.message.action === "log" ? parsed.message.fields : {};
    expect(Object.getPrototypeOf(fields)).toBe(Object.prototype);
    expect(Object.keys(fields)).toEqual(["__proto__"]);
  });
});

describe("nothing that a peer can say", () => {
  const depth = 32_000;
  const nested = `${"[".repeat(depth)}${"]".repeat(depth)}`;

  test("is nested too deeply to be refused or shown", () => {
    for (const sender of ["worker", "preloader"] as const) {
      expect(parseMessage(nested, sender).ok).toBeFalse();
      expect(parseMessage('{"a":'.repeat(10_000), sender).ok).toBeFalse();
      expect(parseMessage(`{"action":"ack","id":${nested}}`, sender).ok).toBeFalse();
    }
    const log = parseMessage(
      `{"action":"log","level":"info","msg":"m","deep":${nested},"flat":[[1]]}`,
      "preloader",
    );
    expect(log).toMatchObject({ message: { fields: { deep: "a value nested too deeply", flat: "[[1]]" } } });
  });

  test("makes the parser throw, and whatever it accepts has the right types", () => {
    const key = fc.constantFrom(
      "action",
      "id",
      "pid",
      "protocol",
      "file",
      "message",
      "error",
      "level",
      "msg",
      "__proto__",
    );
    const likely = fc.constantFrom(
      "ack",
      "error",
      "hello",
      "loading",
      "ready",
      "standby",
      "launched",
      "failed",
      "log",
      "info",
      2,
      1,
    );
    const object = fc.dictionary(key, fc.oneof(likely, fc.jsonValue()));
    const line = fc.oneof(
      fc.string(),
      fc.json(),
      object.map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(line, fc.constantFrom("worker", "preloader"), (text, sender) => {
        const result = parseMessage(text, sender);
        if (!result.ok) {
          expect(result.reason).not.toBe("");
          return;
        }
        const { message } = result;
        if ("pid" in message) expect(Number.isInteger(message.pid) && message.pid >= 2).toBeTrue();
        if ("id" in message) expect(message.id.length).toBeWithin(1, 129);
        if ("message" in message) expect(message.message).toBeString();
      }),
      { numRuns: 2000 },
    );
  });
});

describe("what the supervisor says", () => {
  const worker = { id: "w-1", set: "web", slot: 0, expression: "Server.run\n# done" };
  const spawn = { ...worker, timeoutMs: 30_000, supervisorPid: 7 };

  test("is what docs/PROTOCOL.md tells preloaders to expect, key for key", async () => {
    const document = await Bun.file(join(import.meta.dir, "../../docs/PROTOCOL.md")).text();
    const section = /### What it is told\n([\s\S]*?)\n### /.exec(document)?.[1] ?? "";
    const documented = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, key]) => key);
    const said = Object.keys(JSON.parse(encodeSpawn({ ...spawn, openFiles: 1024 })));
    expect(documented).toEqual(said);
  });

  test("is one line each", () => {
    expect(encodeSpawn({ ...spawn, openFiles: undefined })).toBe(
      '{"op":"spawn","id":"w-1","set":"web","slot":0,"expression":"Server.run\\n# done","timeout_ms":30000,"supervisor_pid":7}\n',
    );
    expect(encodeSpawn({ ...spawn, openFiles: 1024 })).toEndWith(
      ',"timeout_ms":30000,"open_files":1024,"supervisor_pid":7}\n',
    );
    expect(encodeReply(undefined)).toBe('{"ok":true}\n');
    expect(encodeReply("no such worker")).toBe('{"error":"no such worker"}\n');
    expect(encodeAck("w-1")).toBe('{"action":"ack","id":"w-1"}\n');
  });

  test("is understood by the one who asked", () => {
    expect(parseReply(encodeReply(undefined))).toEqual({ ok: true });
    expect(parseReply(encodeReply("no such worker"))).toEqual({ ok: false, reason: "no such worker" });
    for (const line of ["", "ok", "{}", '{"ok":"true"}', '{"ok":false}', '{"error":7}', "[]"]) {
      expect(parseReply(line)).toMatchObject({
        ok: false,
        reason: expect.stringContaining("makes no sense"),
      });
    }
  });
});
