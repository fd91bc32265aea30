import { createServer } from "node:net";

/** Whether a server could listen on this port of the loopback address right now. */
export function isPortFree(port: number): Promise<boolean> {
  return tryPort(port).then((found) => found !== undefined);
}

/** A port of the loopback address that nobody listens on. Somebody else may take it before it is used. */
export async function findFreePort(): Promise<number> {
  const port = await tryPort(0);
  if (port === undefined) throw new Error("the kernel has no free port on 127.0.0.1");
  return port;
}

/** The preferred port, or a free one when it is taken. */
export async function choosePort(preferred: number): Promise<number> {
  return (await isPortFree(preferred)) ? preferred : findFreePort();
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : undefined));
    });
  });
}
