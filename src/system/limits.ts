import { expectAnswer, prlimit } from "./libc.ts";

const openFiles = 7; // RLIMIT_NOFILE

export type OpenFileLimits = { readonly soft: number; readonly hard: number };

/**
 * How many descriptors we may have open. Bun has raised the soft limit to the hard one before any code of ours ran;
 * what it was before can't be asked any more. Unlimited is `Infinity`.
 */
export function readOpenFileLimits(): OpenFileLimits {
  const { answer, before } = prlimit(openFiles, null);
  expectAnswer(answer, "prlimit(RLIMIT_NOFILE)", "");
  return { soft: limitOf(before[0]), hard: limitOf(before[1]) };
}

/** Sets the soft limit, at most to the hard one, which stays. */
export function limitOpenFiles(soft: number): void {
  const { hard } = readOpenFileLimits();
  const unlimited = 2n ** 64n - 1n;
  const kept = Number.isFinite(hard) ? BigInt(hard) : unlimited;
  const wanted = BigInt(Math.min(soft, hard));
  const { answer } = prlimit(openFiles, new BigUint64Array([wanted, kept]));
  expectAnswer(answer, "prlimit(RLIMIT_NOFILE)", `can't allow ${soft} open files`);
}

/** RLIM_INFINITY is the highest number that there is. */
function limitOf(value: bigint | undefined): number {
  return value === undefined || value >= 2n ** 63n ? Number.POSITIVE_INFINITY : Number(value);
}
