/** What the health server writes: one answer, after which the connection ends. */

export type Response = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

const reasons: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  431: "Request Header Fields Too Large",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
};

/**
 * Every answer ends its connection: a descriptor is held no longer than a probe takes, and what else the peer may send
 * need not be understood. To HEAD the body is left out, its length is not.
 */
export function encodeResponse({ status, headers, body }: Response, isHead: boolean, now: Date): Buffer {
  const content = Buffer.from(body);
  const fields = {
    ...headers,
    "Content-Length": String(content.length),
    Date: now.toUTCString(),
    Connection: "close",
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = Buffer.from(`HTTP/1.1 ${status} ${reasons[status] ?? ""}\r\n${lines.join("")}\r\n`);
  return isHead ? head : Buffer.concat([head, content]);
}
