/** script/demo --smoke: the main job from start to stop, on ports and in a database of its own. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { becomeSubreaper } from "../../src/system/subreaper.ts";
import { findFreePort } from "./ports.ts";
import { listDescendants, readTitle, signalIfThere, waitFor } from "./processes.ts";
import { Shop, ShopEnded } from "./shop.ts";

const startTimeoutMs = 120_000;
const stepTimeoutMs = 30_000;
/** sysexits(3) EX_UNAVAILABLE: somebody took the port between the choice and the start. */
const portTaken = 69;

const folder = mkdtempSync(join(tmpdir(), "kleinhirn-smoke-"));
const log = join(folder, "log");
const started = performance.now();
let shop: Shop | undefined;
// Whatever escapes the supervisor becomes our child, so that nothing is left behind unseen.
becomeSubreaper();

try {
  shop = await start();
  await serve(shop);
  await replaceWorker(shop);
  await replacePreloader(shop);
  await stop(shop);
  console.log(`demo smoke: all well after ${((performance.now() - started) / 1000).toFixed(1)} s`);
} catch (error) {
  console.error(`demo smoke: FAILED: ${error instanceof Error ? error.message : String(error)}`);
  console.error(readFileSync(log, "utf8"));
  process.exitCode = 1;
} finally {
  await killTheRest();
  shop?.cleanUp();
  rmSync(folder, { recursive: true, force: true });
}

async function start(attempt = 1): Promise<Shop> {
  const output = openSync(log, "w");
  const candidate = Shop.start({
    name: `shop-smoke-${process.pid}`,
    healthPort: await findFreePort(),
    webPort: await findFreePort(),
    environment: { SHOP_DATABASE: join(folder, "shop.sqlite3"), SHOP_PACKING_SECONDS: "0.1" },
    output,
  });
  closeSync(output);
  try {
    await candidate.waitUntilHealthy(startTimeoutMs);
  } catch (error) {
    if (error instanceof ShopEnded && error.exitCode === portTaken && attempt < 3) return start(attempt + 1);
    shop = candidate;
    throw error;
  }
  done(`healthy: ${candidate.healthUrl} answers 200`);
  return candidate;
}

async function serve({ webUrl }: Shop): Promise<void> {
  const page = await (await fetch(webUrl)).text();
  const server = /Served by <strong>(web\.\d)<\/strong>, process <strong>(\d+)/.exec(page);
  if (server === null) throw new Error(`the page doesn't say which worker served it:\n${page}`);
  done(`the page is served by ${server[1]}, process ${server[2]}`);

  const form = new URLSearchParams({ article: "1", quantity: "2", customer: "Ada" });
  const answer = await fetch(`${webUrl}orders`, { method: "POST", body: form, redirect: "manual" });
  if (answer.status !== 303) throw new Error(`the order was answered with status ${answer.status}`);
  const packer = await waitFor("the order to be packed", stepTimeoutMs, async () => {
    const orders = await (await fetch(`${webUrl}orders`)).text();
    return orders.includes('class="state packed"') && /jobs\.\d \d+/.exec(orders)?.[0];
  });
  done(`an order is packed by ${packer}`);
}

async function replaceWorker(running: Shop): Promise<void> {
  const pid = await running.workerPid("web", 0);
  if (pid === undefined) throw new Error("the health answer names no ready worker web.0");
  signalIfThere(pid, "SIGKILL");
  const successor = await waitFor("web.0 to be replaced", stepTimeoutMs, async () => {
    const found = await running.workerPid("web", 0);
    return found !== pid && found;
  });
  await running.waitUntilHealthy(stepTimeoutMs);
  done(`web.0, process ${pid}, was killed; process ${successor} has taken its place`);
}

async function replacePreloader(running: Shop): Promise<void> {
  const pid = running.preloaderPid();
  if (pid === undefined) throw new Error("there is no process with the title of a ready preloader");
  const workers = JSON.stringify(await workerPids(running));
  signalIfThere(pid, "SIGKILL");
  const successor = await waitFor("a new preloader", startTimeoutMs, () => {
    const found = running.preloaderPid();
    return found !== pid && found;
  });
  if (JSON.stringify(await workerPids(running)) !== workers)
    throw new Error("workers fell with the preloader");
  await running.waitUntilHealthy(stepTimeoutMs);
  done(
    `the preloader, process ${pid}, was killed; process ${successor} has loaded again, no worker was touched`,
  );
}

async function workerPids(running: Shop): Promise<unknown> {
  return (await running.health())?.sets.map(({ workers }) => workers.map(({ pid }) => pid));
}

async function stop(running: Shop): Promise<void> {
  running.process.kill("SIGTERM");
  const ended = await waitFor("kleinhirn to end", stepTimeoutMs, () => {
    const { exitCode, signalCode } = running.process;
    return exitCode ?? signalCode ?? undefined;
  });
  if (ended !== 0) throw new Error(`TERM: kleinhirn ended with ${ended} instead of status 0`);
  const left = listDescendants(process.pid);
  if (left.length > 0)
    throw new Error(`left behind: ${left.map((pid) => `${pid} ${readTitle(pid)}`).join(", ")}`);
  done("stopped with status 0, and none of its processes is left");
}

/** After a failure; after a success there is nothing left to kill. */
async function killTheRest(): Promise<void> {
  // Those that are killed may leave children to us, so one look is not enough.
  await waitFor("the last processes to end", stepTimeoutMs, () => {
    const left = listDescendants(process.pid);
    for (const pid of left) signalIfThere(pid, "SIGKILL");
    return left.length === 0;
  });
}

function done(what: string): void {
  console.log(`ok   ${what}`);
}
