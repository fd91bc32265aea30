/** Requests without a pause, by wrk; it counts what fails. */
export type LoadResult = { readonly requests: number; readonly failed: number; readonly report: string };

export class Load implements AsyncDisposable {
  readonly #process: Bun.Subprocess<"ignore", "pipe", "pipe">;

  /** @param connections at the same time, each kept open as a browser's would be. */
  constructor(url: string, connections: number) {
    // The duration is a bound for a test that has failed; INT ends it, and it reports all the same.
    const limits = ["--threads", "1", "--connections", String(connections), "--duration", "600s"];
    // Patient: on a busy machine a slow answer is no failed one.
    this.#process = Bun.spawn(["nice", "wrk", ...limits, "--timeout", "30s", url], {
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** @throws when wrk doesn't report. */
  async finish(): Promise<LoadResult> {
    this.#process.kill("SIGINT");
    const report = await new Response(this.#process.stdout).text();
    await this.#process.exited;
    return readReport(report);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }
}

/**
 * `N requests in 2.00s, …`; and only where there were some: `Socket errors: connect N, read N, write N, timeout N`,
 * `Non-2xx or 3xx responses: N`.
 */
export function readReport(report: string): LoadResult {
  const requests = Number(/^\s*(\d+) requests in /m.exec(report)?.[1]);
  if (Number.isNaN(requests)) throw new Error(`wrk did not report:\n${report}`);
  const errors = /^\s*Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/m.exec(report);
  const refused = /^\s*Non-2xx or 3xx responses: (\d+)/m.exec(report);
  const failed = [...(errors?.slice(1) ?? []), refused?.[1] ?? "0"].reduce((sum, n) => sum + Number(n), 0);
  return { requests, failed, report };
}
