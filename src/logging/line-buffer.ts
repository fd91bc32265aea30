/** Lines that wait to be written, oldest first, never more than a set number of bytes of them. */
export type LineBuffer = {
  /** Adds a line (without its newline); where there is no room, the oldest lines are dropped for it. */
  push(line: string): void;
  /** Takes whole lines, each ended by a newline, of `maxBytes` at the most (or one line that is longer than that). */
  takeBatch(maxBytes: number): string;
  /** How many lines were dropped since this was last asked. */
  takeDropped(): number;
  /** Forgets everything, uncounted. */
  clear(): void;
};

type WaitingLine = { readonly text: string; readonly bytes: number };

/** Below this many taken entries it is not worth moving the rest to the front. */
const minTakenToCompact = 1024;

export function createLineBuffer(capacityBytes: number): LineBuffer {
  let lines: WaitingLine[] = [];
  let first = 0;
  let waitingBytes = 0;
  let dropped = 0;

  /** Removes the oldest line in amortised constant time: `shift` on a long array would move all the others. */
  const removeOldest = (): WaitingLine | undefined => {
    const oldest = lines[first];
    if (oldest === undefined) return undefined;
    first += 1;
    waitingBytes -= oldest.bytes;
    if (first >= minTakenToCompact && first * 2 >= lines.length) {
      lines = lines.slice(first);
      first = 0;
    }
    return oldest;
  };

  return {
    push(line) {
      const text = `${line}\n`;
      const bytes = Buffer.byteLength(text);
      while (waitingBytes + bytes > capacityBytes && removeOldest() !== undefined) dropped += 1;
      if (bytes > capacityBytes) {
        dropped += 1;
        return;
      }
      lines.push({ text, bytes });
      waitingBytes += bytes;
    },

    takeBatch(maxBytes) {
      const batch: string[] = [];
      let batchBytes = 0;
      for (let next = lines[first]; next !== undefined; next = lines[first]) {
        if (batchBytes > 0 && batchBytes + next.bytes > maxBytes) break;
        batchBytes += next.bytes;
        batch.push(next.text);
        removeOldest();
      }
      return batch.join("");
    },

    takeDropped() {
      const count = dropped;
      dropped = 0;
      return count;
    },

    clear() {
      lines = [];
      first = 0;
      waitingBytes = 0;
      dropped = 0;
    },
  };
}
