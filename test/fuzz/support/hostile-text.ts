/** Text as a hostile worker or peer would have it in the log, from a seed: the same in the program that sends it and in the test. */
import type { Dice } from "../../core/random/dice.ts";

const pieces = [
  ..." =\"'\\\n\r\t\0\v\f\u001b\u007f\u0085\u009b\u00a0\u2028\u2029\u202e\u200f\ufeff\ufffd{}[]:,/#",
  "\\n",
  '\\"',
  "\\\\",
  "\\u0022",
  "\ud800",
  "\udfff",
  "\u{1f600}",
  "null",
  "true",
  "level=critical",
  'msg="forged"',
  '\n{"level":"critical","msg":"forged"}\n',
  "\nts=2026-01-01T00:00:00.000Z level=critical msg=forged service=it\n",
  "\u001b[2K\u001b[1A",
  "plain",
];

const ownKeys = [
  "ts",
  "level",
  "msg",
  "service",
  "set",
  "slot",
  "worker",
  "pid",
  "generation",
  "error",
  "reason",
  "0",
];

export function hostileText(dice: Dice): string {
  const length = dice.chance(0.01) ? dice.below(3000) : dice.below(10);
  return Array.from({ length }, () => hostilePiece(dice)).join("");
}

function hostilePiece(dice: Dice): string {
  return dice.chance(0.8) ? (dice.pick(pieces) ?? "") : String.fromCharCode(dice.below(0x10000));
}

/** Up to eight; keys that we use ourselves among them, also with something in them that a reader may drop. */
export function hostileFields(dice: Dice): Record<string, string | number | boolean> {
  const entries = Array.from(
    { length: dice.below(9) },
    () => [hostileKey(dice), hostileValue(dice)] as const,
  );
  // Made by defining: `__proto__` is a key like any other.
  return Object.fromEntries(entries);
}

function hostileKey(dice: Dice): string {
  if (dice.chance(0.1)) return "__proto__";
  if (dice.chance(0.4)) return hostileText(dice);
  const key = dice.pick(ownKeys) ?? "";
  if (dice.chance(0.3)) return key;
  const at = dice.below(key.length + 1);
  return key.slice(0, at) + hostilePiece(dice) + key.slice(at);
}

function hostileValue(dice: Dice): string | number | boolean {
  if (dice.chance(0.7)) return hostileText(dice);
  return dice.oneOf<number | boolean>(
    0,
    -0,
    1.5,
    1e300,
    5e-324,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    true,
    false,
  );
}
