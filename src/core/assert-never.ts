/** The end of an exhaustive switch: the compiler refuses it while a case is missing. */
export function assertNever(value: never): never {
  throw new Error(`a case that can't be: ${JSON.stringify(value)}`);
}
