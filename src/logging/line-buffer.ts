/** A line with its newline. */
type WaitingLine = { readonly text: string; readonly bytes: number };

/** Below this many taken entries it is not worth moving the rest to the front. */
const minTakenToCompact = 1024;

/** Lines that wait to be written, oldest first, never more than a set number of bytes of them. */
export class LineBuffer {
  readonly #capacityBytes: number;
  #lines: WaitingLine[] = [];
  #first = 0;
  #waitingBytes = 0;
  #dropped = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  /** Adds a line (without its newline); where there is no room, the oldest lines are dropped for it. */
  push(line: string): void {
    const text = `${line}\n`;
    const bytes = Buffer.byteLength(text);
    while (this.#waitingBytes + bytes > this.#capacityBytes && this.#removeOldest()) this.#dropped += 1;
    if (bytes > this.#capacityBytes) {
      this.#dropped += 1;
      return;
    }
    this.#lines.push({ text, bytes });
    this.#waitingBytes += bytes;
  }

  /** Takes whole lines, each ended by a newline, of `maxBytes` at the most (or one line that is longer than that). */
  takeBatch(maxBytes: number): string {
    const batch: string[] = [];
    let batchBytes = 0;
    for (let next = this.#lines[this.#first]; next !== undefined; next = this.#lines[this.#first]) {
      if (batchBytes > 0 && batchBytes + next.bytes > maxBytes) break;
      batchBytes += next.bytes;
      batch.push(next.text);
      this.#removeOldest();
    }
    return batch.join("");
  }

  /** How many lines were dropped since this was last asked. */
  takeDropped(): number {
    const count = this.#dropped;
    this.#dropped = 0;
    return count;
  }

  /** Forgets everything, uncounted. */
  clear(): void {
    this.#lines = [];
    this.#first = 0;
    this.#waitingBytes = 0;
    this.#dropped = 0;
  }

  /** In amortised constant time: `shift` on a long array would move all the others. False when there is none. */
  #removeOldest(): boolean {
    const oldest = this.#lines[this.#first];
    if (oldest === undefined) return false;
    this.#first += 1;
    this.#waitingBytes -= oldest.bytes;
    if (this.#first >= minTakenToCompact && this.#first * 2 >= this.#lines.length) {
      this.#lines = this.#lines.slice(this.#first);
      this.#first = 0;
    }
    return true;
  }
}
