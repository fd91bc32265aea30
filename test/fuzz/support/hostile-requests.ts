/** What arrives at a health port that anybody can reach, from a seed. */
import type { Dice } from "../../core/random/dice.ts";

const requests = [
  "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
  "HEAD /readyz HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n",
  "GET /livez HTTP/1.0\r\n\r\n",
  "POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
  "PUT /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
  "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n",
  "GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
  "GET http://127.0.0.1:99999/../%2e%2e/livez?%00#\u0000 HTTP/1.1\r\nHost: :\r\n\r\n",
];

const splinters = [
  "\r\n",
  "\r",
  "\n",
  "\0",
  ":",
  " ",
  "\t",
  "%",
  "//",
  "?",
  "#",
  "\xff\xfe",
  "HTTP/9.9",
  "Content-Length: -1\r\n",
  "Content-Length: 99999999999999999999\r\n",
  "Content-Length: 3\r\nContent-Length: 4\r\n",
  "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
  "Transfer-Encoding: gzip, chunked\r\n",
  "ffffffffffffffff\r\n",
  "Host: b\r\n",
  "X: \x01\x02\r\n",
  " folded\r\n",
  `X: ${"y".repeat(20_000)}\r\n`,
];

/** A TLS client that has the wrong port, and plain noise. */
const foreign = [
  Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03),
  Buffer.from("SSH-2.0-OpenSSH_9.2\r\n"),
  Buffer.from('{"action":"ack","id":"w-1"}\n'),
];

/** One request, or several in one piece, or what is none. */
export function hostileRequest(dice: Dice): Uint8Array {
  if (dice.chance(0.1)) return dice.pick(foreign) ?? noBytes;
  if (dice.chance(0.1)) return Uint8Array.from({ length: dice.below(2000) }, () => dice.below(256));
  const parts = Array.from({ length: dice.chance(0.3) ? 1 + dice.below(20) : 1 }, () => mutated(dice));
  return Buffer.from(parts.join(""), "latin1");
}

const noBytes = new Uint8Array(0);

function mutated(dice: Dice): string {
  let text = dice.pick(requests) ?? "";
  for (let left = dice.below(4); left > 0; left -= 1) {
    const at = dice.below(text.length + 1);
    const cutTo = at + (dice.chance(0.5) ? dice.below(6) : 0);
    const added = dice.chance(0.7) ? (dice.pick(splinters) ?? "") : String.fromCharCode(dice.below(256));
    text = text.slice(0, at) + added + text.slice(cutTo);
  }
  return text;
}
