/** Why the supervisor could not start; the command line turns the kind into an exit status (specification section 1). */
export class StartError extends Error {
  override readonly name = "StartError";
  /** `unavailable`: a socket or port is taken or may not be opened. `refused`: the operating system can't or won't. */
  readonly kind: "unavailable" | "refused";

  constructor(kind: "unavailable" | "refused", message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
