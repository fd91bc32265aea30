import { expectAnswer, prctl } from "./libc.ts";

const setChildSubreaper = 36; // PR_SET_CHILD_SUBREAPER

/**
 * From now on a descendant whose parent is gone becomes our child, whatever our own pid is (prctl(2)): that is how a
 * double-forked worker comes to be ours, and why no orphan escapes a stop. Forks don't inherit it, exec keeps it.
 *
 * Throws an `OperatingSystemError` (exit status 71) where it is refused.
 */
export function becomeSubreaper(): void {
  const detail =
    "kleinhirn must be told of every orphan and can't do without; is a seccomp filter in the way?";
  expectAnswer(prctl(setChildSubreaper, 1), "prctl(PR_SET_CHILD_SUBREAPER)", detail);
}
