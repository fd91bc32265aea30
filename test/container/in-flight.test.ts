/** A request that is being answered when TERM comes is answered to its end. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { freePort } from "../helpers/ports.ts";
import { Running, repository } from "../helpers/running.ts";
import { supervisor } from "../helpers/settings.ts";
import { testTimeoutMs } from "../helpers/wait.ts";
import { findPid1, inNamespace, root, whyNoNamespaces } from "./support/pid1.ts";
import { SlowRequest, slowSet } from "./support/slow-request.ts";

setDefaultTimeout(testTimeoutMs);

const obstacle = whyNoNamespaces();
if (obstacle !== undefined) console.warn(`requests in flight are skipped: ${obstacle}`);

const shop = join(repository, "examples/shop");
const slow = join(repository, "test/fixtures/programs/slow.ru");

function start(port: number): Running {
  const withSocket = ["ruby", join(shop, "bin/with-socket"), `127.0.0.1:${port}`];
  return new Running(`${supervisor()}${slowSet(shop, "@FOLDER@", slow)}`, {
    wrapper: [...inNamespace(root), ...withSocket],
  });
}

describe.skipIf(obstacle !== undefined)("a slow request in flight", () => {
  test("is answered in full after TERM; then the worker exits by itself, and PID 1 with status 0", async () => {
    const port = freePort();
    await using running = start(port);
    await running.waitFor("worker set running");
    const request = new SlowRequest(`http://127.0.0.1:${port}/`, running.folder);
    await request.arrived();
    process.kill(await findPid1(running), "SIGTERM");
    await running.waitFor("worker stopping", 2);
    // The other one has nothing to finish.
    await running.waitFor("worker stopped");
    expect(running.all("worker stopped")).toHaveLength(1);
    request.letGo();
    const answer = await request.answer;
    expect({ status: answer.status, text: await answer.text() }).toEqual({
      status: 200,
      text: "the whole answer\n",
    });
    expect(await running.exited()).toBe(0);
    expect(running.all("worker stopped")).toMatchObject([{ exit: "status 0" }, { exit: "status 0" }]);
    expect(running.lines.at(-1)).toMatchObject({ msg: "stopped", killed: 0 });
  });

  test("is cut off by a second TERM, and only by that", async () => {
    const port = freePort();
    await using running = start(port);
    await running.waitFor("worker set running");
    const request = new SlowRequest(`http://127.0.0.1:${port}/`, running.folder);
    await request.arrived();
    const pid = await findPid1(running);
    process.kill(pid, "SIGTERM");
    await running.waitFor("worker stopping", 2);
    process.kill(pid, "SIGTERM");
    expect(await running.exited()).toBe(0);
    await expect(request.answer).rejects.toThrow();
    expect(Number(running.lines.at(-1)?.killed)).toBeGreaterThan(0);
  });
});
