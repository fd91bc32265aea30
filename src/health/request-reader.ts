/** Reads the head of one HTTP/1 request, which is all that a probe needs to be answered (RFC 9112). */

export type RequestHead = {
  readonly method: string;
  /** As it was sent: a path, with a query or not, or a whole address. */
  readonly target: string;
  /** The Accept header; several are one, joined by commas. */
  readonly accept: string | null;
};

export type Reading =
  | { readonly kind: "incomplete" }
  | { readonly kind: "complete"; readonly head: RequestHead }
  /** Nothing that comes after it on this connection can be understood either. */
  | { readonly kind: "malformed"; readonly status: 400 | 431 | 505 };

/** Kubernetes, HAProxy, curl and browsers stay far below it; what silent strangers can make us hold is a multiple of it. */
const longestHeadBytes = 8 * 1024;

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const requestLine = new RegExp(`^(${token}) ([\\x21-\\x7e]+) HTTP/(\\d)\\.\\d$`);
const headerName = new RegExp(`^${token}$`);
const notAtTheStart = new RegExp(`^(?!${token})[^]`);

export class RequestReader {
  /** One character a byte: what is not ASCII in a head is nothing that we look at. */
  #text = "";

  push(chunk: Uint8Array): Reading {
    const room = longestHeadBytes + 1 - this.#text.length;
    this.#text += Buffer.from(chunk.buffer, chunk.byteOffset, Math.min(room, chunk.byteLength)).toString(
      "latin1",
    );
    // RFC 9112 section 2.2: empty lines before a request are skipped, and a line may end without its carriage return.
    this.#text = this.#text.replace(/^[\r\n]+/, "");
    // A client that speaks TLS here is told at once; it would send nothing that ends a head, and both would wait.
    if (notAtTheStart.test(this.#text)) return { kind: "malformed", status: 400 };
    const end = this.#text.search(/\n\r?\n/);
    if (end !== -1) return parseHead(this.#text.slice(0, end));
    if (this.#text.length > longestHeadBytes) return { kind: "malformed", status: 431 };
    return { kind: "incomplete" };
  }
}

function parseHead(text: string): Reading {
  const [first = "", ...lines] = text.split("\n").map((line) => line.replace(/\r$/, ""));
  const [, method, target, version] = requestLine.exec(first) ?? [];
  if (method === undefined || target === undefined) return { kind: "malformed", status: 400 };
  if (version !== "1") return { kind: "malformed", status: 505 };
  const accepted: string[] = [];
  for (const line of lines) {
    const colon = line.indexOf(":");
    // A line that begins with a space, once a continuation of the one before, has no name either.
    if (!headerName.test(line.slice(0, Math.max(0, colon)))) return { kind: "malformed", status: 400 };
    if (line.slice(0, colon).toLowerCase() === "accept") accepted.push(line.slice(colon + 1).trim());
  }
  const accept = accepted.length === 0 ? null : accepted.join(",");
  return { kind: "complete", head: { method, target, accept } };
}
