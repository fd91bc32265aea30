/** How many causes are followed: more than that is a cycle or nobody's reading matter. */
const maxCauses = 8;

/**
 * An error with its stack, and those of its causes, as one text for the `error` field of an event. Works for whatever was
 * thrown, and never throws itself.
 */
export function errorText(error: unknown): string {
  const texts: string[] = [];
  let current = error;
  for (let depth = 0; depth < maxCauses; depth += 1) {
    texts.push(stackText(current));
    if (!(current instanceof Error) || current.cause === undefined) break;
    current = current.cause;
  }
  return texts.join("\ncaused by: ");
}

function stackText(error: unknown): string {
  if (!(error instanceof Error)) return describeThrown(error);
  const heading = `${error.name}: ${error.message}`;
  const stack = error.stack ?? "";
  if (stack === "") return heading;
  // The stack begins with what the message was when the error was made; a message set later would be lost.
  return stack.includes(error.message) ? stack : `${heading}\n${stack}`;
}

function describeThrown(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return "something was thrown that can't be shown";
  }
}
