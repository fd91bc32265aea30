/** The longest line of the protocol in bytes, its newline included (specification section 5). */
export const maxLineBytes = 65_536;

/** A line without its newline, or the end of a peer that sent too much without one. */
export type DecodedLine = { readonly kind: "line"; readonly text: string } | { readonly kind: "tooLong" };

const newline = 0x0a;
const smallestBufferBytes = 256;
const noBytes = new Uint8Array(0);

/**
 * Cuts a stream of bytes into lines, wherever the chunks end, be it within a character. It holds the unfinished line and
 * nothing else: 64 KiB at the most, however the peer behaves. Bytes that are no UTF-8 become U+FFFD. After a line
 * that is too long it gives `tooLong` once and then nothing more: the connection is to be closed.
 */
export class LineDecoder {
  /** A byte order mark is no part of JSON, so it is left in for the parser to refuse. */
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #pending: Uint8Array = noBytes;
  #pendingBytes = 0;
  #isTooLong = false;

  push(chunk: Uint8Array): DecodedLine[] {
    const lines: DecodedLine[] = [];
    let start = 0;
    while (!this.#isTooLong && start < chunk.length) {
      const end = chunk.indexOf(newline, start);
      const part = chunk.subarray(start, end === -1 ? chunk.length : end);
      start += part.length + 1;
      // The newline that is still to come counts too.
      if (this.#pendingBytes + part.length + 1 > maxLineBytes) lines.push(this.#giveUp());
      else if (end === -1) this.#keep(part);
      else lines.push({ kind: "line", text: this.#complete(part) });
    }
    return lines;
  }

  #giveUp(): DecodedLine {
    this.#isTooLong = true;
    this.#pending = noBytes;
    this.#pendingBytes = 0;
    return { kind: "tooLong" };
  }

  #complete(lastPart: Uint8Array): string {
    if (this.#pendingBytes === 0) return this.#decoder.decode(lastPart);
    this.#keep(lastPart);
    const text = this.#decoder.decode(this.#pending.subarray(0, this.#pendingBytes));
    this.#pending = noBytes;
    this.#pendingBytes = 0;
    return text;
  }

  /**
   * Copies: a view would keep the whole chunk, and one view for each byte of a slow peer would cost a hundred times the
   * line. The buffer grows by doubling, so that a line is copied twice on average, not once for each of its chunks.
   */
  #keep(part: Uint8Array): void {
    const neededBytes = this.#pendingBytes + part.length;
    if (neededBytes > this.#pending.length) {
      const grown = new Uint8Array(Math.max(smallestBufferBytes, this.#pending.length * 2, neededBytes));
      grown.set(this.#pending.subarray(0, this.#pendingBytes));
      this.#pending = grown;
    }
    this.#pending.set(part, this.#pendingBytes);
    this.#pendingBytes = neededBytes;
  }
}
