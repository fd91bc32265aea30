import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Reading, RequestReader } from "../../src/health/request-reader.ts";

function read(...chunks: readonly string[]): Reading {
  const reader = new RequestReader();
  let reading: Reading = { kind: "incomplete" };
  for (const chunk of chunks) {
    reading = reader.push(Buffer.from(chunk, "latin1"));
    if (reading.kind !== "incomplete") break;
  }
  return reading;
}

function complete(method: string, target: string, accept: string | null = null): Reading {
  return { kind: "complete", head: { method, target, accept } };
}

describe("a request", () => {
  test.each<[string, Reading]>([
    ["GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", complete("GET", "/healthz")],
    ["HEAD / HTTP/1.0\n\n", complete("HEAD", "/")],
    ["\r\n\n\r\nGET /a?b HTTP/1.1\r\n\r\n", complete("GET", "/a?b")],
    [
      "GET / HTTP/1.1\r\nACCEPT:a/b\r\nX: y\r\nAccept:  c/d;q=1 \t\r\n\r\n",
      complete("GET", "/", "a/b,c/d;q=1"),
    ],
    ["GET / HTTP/1.1\r\nAccept:\r\n\r\n", complete("GET", "/", "")],
    ["M-SEARCH * HTTP/1.9\r\n\r\nbody", complete("M-SEARCH", "*")],
    ["GET / HTTP/1.1\r\nX-Latin: \u00e4\r\n\r\n", complete("GET", "/")],
    ["GET / HTTP/1.1\r\nHost: a\r\n", { kind: "incomplete" }],
    ["\r\n\r\n\r\n", { kind: "incomplete" }],
    ["", { kind: "incomplete" }],
  ])("%j", (text, expected) => {
    expect(read(text)).toEqual(expected);
    expect(read(...text)).toEqual(expected);
  });
});

describe("no request", () => {
  test.each([
    "GET /\r\n\r\n",
    "GET  / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1 \r\n\r\n",
    "GET /\u00e4 HTTP/1.1\r\n\r\n",
    "G\0T / HTTP/1.1\r\n\r\n",
    " GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nno colon\r\n\r\n",
    "GET / HTTP/1.1\r\n: no name\r\n\r\n",
    "GET / HTTP/1.1\r\nAccept : a space before the colon\r\n\r\n",
    "GET / HTTP/1.1\r\nAccept: a\r\n folded\r\n\r\n",
  ])("%j", (text) => {
    expect(read(text)).toEqual({ kind: "malformed", status: 400 });
  });

  test("is told at the first byte: who begins with TLS would otherwise wait for an answer until its time is over", () => {
    expect(read("\u0016\u0003\u0001\u0000")).toEqual({ kind: "malformed", status: 400 });
    expect(read("\r\n", "\u0016")).toEqual({ kind: "malformed", status: 400 });
  });

  test("of another version", () => {
    expect(read("GET / HTTP/2.0\r\n\r\n")).toEqual({ kind: "malformed", status: 505 });
  });

  test("a head that is too long, in one piece or in many, and one that just fits", () => {
    const head = (length: number) => `GET / HTTP/1.1\r\nX: ${"x".repeat(length - 23)}\r\n\r\n`;
    expect(read(head(8192))).toEqual(complete("GET", "/"));
    expect(read(head(8194).slice(0, -1))).toEqual({ kind: "malformed", status: 431 });
    expect(read(...head(20_000))).toEqual({ kind: "malformed", status: 431 });
  });
});

test("whatever comes, in whatever pieces, it is read the same way, and never thrown about", () => {
  const piece = fc.oneof(
    fc.constantFrom("GET ", "/", " HTTP/1.1", "\r\n", "\n", "\r", ":", "Accept: a", " ", "\0"),
    fc.string({ unit: "binary-ascii" }),
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      expect(read(pieces.join(""))).toEqual(read(...pieces.join("")));
    }),
  );
});
