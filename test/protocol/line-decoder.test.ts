import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { LineDecoder, maxLineBytes } from "../../src/protocol/line-decoder.ts";

function decodeIn(chunks: readonly Uint8Array[]): string[] {
  const decoder = new LineDecoder();
  return chunks
    .flatMap((chunk) => decoder.push(chunk))
    .map((line) => (line.kind === "line" ? line.text : "<too long>"));
}

function decode(text: string): string[] {
  return decodeIn([Buffer.from(text)]);
}

/** Cuts the bytes at the given places, which may be within a character. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort(
    (a, b) => a - b,
  );
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

describe("lines", () => {
  test("come without their newlines, in order", () => {
    expect(decode("one\ntwo\n\nthree\nunfinished")).toEqual(["one", "two", "", "three"]);
  });

  test("are the same wherever the stream is cut", () => {
    const codePoint = fc.integer({ min: 0, max: 0x10ffff });
    const line = fc.array(codePoint, { maxLength: 20 }).map((points) =>
      String.fromCodePoint(...points)
        .toWellFormed()
        .replaceAll("\n", ""),
    );
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(), { maxLength: 30 }), (lines, places) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(""));
        expect(decodeIn(cut(bytes, places))).toEqual(lines);
      }),
    );
  });

  test("may come byte by byte", () => {
    const bytes = Buffer.from('{"action":"ack","id":"wörker-😀"}\n');
    expect(decodeIn([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual([
      '{"action":"ack","id":"wörker-😀"}',
    ]);
  });

  test("keep what belongs to them: a carriage return, a byte order mark", () => {
    expect(decode("\ufeffone\r\n")).toEqual(["\ufeffone\r"]);
  });

  test("have U+FFFD for bytes that are no UTF-8", () => {
    expect(decodeIn([Uint8Array.of(0x61, 0xff, 0xc3, 0x0a, 0xed, 0xa0, 0x80, 0x0a)])).toEqual([
      "a\ufffd\ufffd",
      "\ufffd\ufffd\ufffd",
    ]);
  });

  test("don't change when the peer's buffer is used again", () => {
    const decoder = new LineDecoder();
    const buffer = Buffer.from("first half ");
    decoder.push(buffer);
    buffer.fill(0x78);
    expect(decoder.push(Buffer.from("second half\n"))).toEqual([
      { kind: "line", text: "first half second half" },
    ]);
  });
});

describe("a line that is too long", () => {
  const longest = "x".repeat(maxLineBytes - 1);

  test("begins with one byte more than 64 KiB, the newline included", () => {
    expect(decode(`${longest}\n`)).toEqual([longest]);
    expect(decode(`${longest}x\n`)).toEqual(["<too long>"]);
  });

  test("is measured in bytes, not characters", () => {
    expect(decode(`${"ü".repeat(maxLineBytes / 2)}\n`)).toEqual(["<too long>"]);
  });

  test("is known before it ends, said once, and ends everything", () => {
    expect(decode(`one\n${longest}`)).toEqual(["one"]);
    expect(decode(`one\n${longest}xyz`)).toEqual(["one", "<too long>"]);
    const decoder = new LineDecoder();
    decoder.push(Buffer.from(longest));
    expect(decoder.push(Buffer.from("x"))).toEqual([{ kind: "tooLong" }]);
    expect(decoder.push(Buffer.from("\none\ntwo\n"))).toEqual([]);
  });

  test("is found at the same byte wherever the stream is cut", () => {
    const places = fc.array(fc.nat(), { maxLength: 20 });
    fc.assert(
      fc.property(fc.integer({ min: -3, max: 3 }), places, (excess, at) => {
        const bytes = Buffer.from(`${"x".repeat(maxLineBytes - 1 + excess)}\nnext\n`);
        const expected = excess > 0 ? ["<too long>"] : ["x".repeat(maxLineBytes - 1 + excess), "next"];
        expect(decodeIn(cut(bytes, at))).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });
});

test("a peer that sends byte by byte costs linear time and bounded memory", () => {
  const decoder = new LineDecoder();
  const byte = Uint8Array.of(0x78);
  const startedAt = performance.now();
  for (let round = 0; round < 20; round += 1) {
    for (let index = 0; index < maxLineBytes - 1; index += 1) decoder.push(byte);
    expect(decoder.push(Uint8Array.of(0x0a)).length).toBe(1);
  }
  // 1.3 million bytes: 0.2 s here. With a concatenation for each, it would be 40 GB of copying.
  expect(performance.now() - startedAt).toBeLessThan(10_000);
});
