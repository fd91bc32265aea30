/** The `code` of an error that Bun or a node module threw for a failed system call; undefined for any other value. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** For a message: the code, or the error itself when there is none. */
export function nameError(error: unknown): string {
  return errorCode(error) ?? String(error);
}
