import { errorCode } from "../error-code.ts";

/** What the machine may have again in a moment, by the manual pages of fork(2), open(2) and socketpair(2). */
const shortages: ReadonlySet<string> = new Set(["EAGAIN", "ENOMEM", "EMFILE", "ENFILE", "ENOBUFS"]);

/**
 * What an event of a failed launch says more when the machine was short of something: `{ shortage: "EAGAIN" }`. An error of
 * another kind would come again, and adds nothing.
 */
export function shortageOf(error: unknown): { readonly shortage?: string } {
  return shortageNamed(errorCode(error));
}

/** The same of an error's name. */
export function shortageNamed(code: string | undefined): { readonly shortage?: string } {
  return code !== undefined && shortages.has(code) ? { shortage: code } : {};
}
