/** The heart of script/demo: the shop in the foreground, and a few words about what to look at. */
import { choosePort, isPortFree } from "./ports.ts";
import { Shop } from "./shop.ts";

const healthyTimeoutMs = 120_000;

// Port 3000 taken: perhaps by another demo, which has the name as well.
const alone = await isPortFree(3000);
const shop = Shop.start({
  name: alone ? "shop" : `shop-${process.pid}`,
  healthPort: await choosePort(3000),
  webPort: await choosePort(8080),
  environment: {},
  output: undefined,
});

// The demo stops when kleinhirn has, and how often it was asked is for kleinhirn to judge.
for (const signal of ["SIGINT", "SIGTERM", "SIGQUIT"] as const) {
  process.on(signal, () => shop.process.kill(signal));
}
// The terminal was closed. kleinhirn would pass a HUP on to its workers and go on.
process.on("SIGHUP", () => shop.process.kill("SIGTERM"));

try {
  await shop.waitUntilHealthy(healthyTimeoutMs);
  console.log(await describe(shop));
} catch (error) {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
  shop.process.kill("SIGTERM");
}

const status = await shop.process.exited;
shop.cleanUp();
console.log(`demo: kleinhirn ended with status ${status}`);
process.exitCode = status;

async function describe(running: Shop): Promise<string> {
  const worker = await running.workerPid("web", 0);
  const preloader = running.preloaderPid();
  return [
    "",
    `  health          ${running.healthUrl}`,
    `  the shop        ${running.webUrl}`,
    `  kill a worker   kill -KILL ${worker ?? "?"}   web.0: in a moment another process has its slot`,
    `  the preloader   kill -KILL ${preloader ?? "?"}   the workers go on serving, and the code is loaded again`,
    `  stop            Ctrl-C, or kill ${running.process.pid}`,
    "",
  ].join("\n");
}
