/** One request that is held until the test lets it go; test/fixtures/programs/slow.ru is at the other end. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { waitUntil } from "../../helpers/wait.ts";

/** The worker set that serves it. @param shop examples/shop, and @param here the test's folder, as the workers see them. */
export function slowSet(shop: string, here: string, source: string): string {
  return `
    [workers.web]
    type = "ruby"
    count = 2
    cwd = ${JSON.stringify(shop)}
    gemfile = ${JSON.stringify(`${shop}/Gemfile`)}
    load = ${JSON.stringify(source)}
    start_expression = "Shop::WebServer.run(KleinhirnLoader.rack_app)"
    env = { APP_ENV = "production", SHOP = "${shop}", HERE = "${here}", SHOP_DATABASE = "${here}/shop.sqlite3" }
  `;
}

export class SlowRequest {
  readonly answer: Promise<Response>;
  readonly #folder: string;

  constructor(url: string, folder: string) {
    this.#folder = folder;
    this.answer = fetch(url, { keepalive: false });
    // Whoever awaits it is told; nobody else needs to be.
    this.answer.catch(() => undefined);
  }

  async arrived(): Promise<void> {
    await waitUntil(() => existsSync(join(this.#folder, "arrived")));
  }

  letGo(): void {
    writeFileSync(join(this.#folder, "go"), "");
  }
}
