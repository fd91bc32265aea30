import { lstatSync, unlinkSync } from "node:fs";
import { errorCode } from "../error-code.ts";

/**
 * Makes way for a listener on a path that is taken, if all that is left there is the socket of a dead process. Whether
 * one lives is asked by connecting: the kernel refuses (ECONNREFUSED) when nobody listens, unix(7).
 *
 * @returns undefined when the way is free; `EADDRINUSE` when somebody listens, `ENOTSOCK` when it is no socket at all, or why
 * it couldn't be removed.
 */
export async function removeStaleSocket(path: string): Promise<string | undefined> {
  try {
    if (!lstatSync(path).isSocket()) return "ENOTSOCK";
    if (await isAnswered(path)) return "EADDRINUSE";
    unlinkSync(path);
    return undefined;
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    // Somebody else removed it in the meantime.
    return code === "ENOENT" ? undefined : code;
  }
}

/** Every answer but a refusal counts as a listener: a full backlog (EAGAIN) or a missing permission is no sign of death. */
async function isAnswered(path: string): Promise<boolean> {
  try {
    const socket = await Bun.connect({ unix: path, socket: { data() {} } });
    socket.end();
    return true;
  } catch (error) {
    return errorCode(error) !== "ECONNREFUSED";
  }
}
