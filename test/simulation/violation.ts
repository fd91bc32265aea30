/** Something that must never happen has happened. */
export class Violation extends Error {
  /** What kind it is, without numbers: a shrunk life must break the same promise. */
  readonly promise: string;

  constructor(promise: string, details = "") {
    super(details === "" ? promise : `${promise}: ${details}`);
    this.name = "Violation";
    this.promise = promise;
  }
}

/** @param details are only put together when they are needed. */
export function hold(holds: boolean, promise: string, details: () => string = () => ""): asserts holds {
  if (!holds) throw new Violation(promise, details());
}
