import type { Config } from "../../src/config/config.ts";
import type { ConfigError } from "../../src/config/config-error.ts";
import { formatConfigErrors } from "../../src/config/config-error.ts";
import { type LoadResult, loadConfig } from "../../src/config/load.ts";
import { createFakeWorld, type FakeMachine } from "./fake-world.ts";

/** Loads a text as `/srv/shop/shop.toml`, on a machine with the files of a Ruby application beside it. */
export function loadText(text: string | Uint8Array, machine: FakeMachine = {}): LoadResult {
  const files = {
    "/srv/shop/Gemfile": "",
    "/srv/shop/app.rb": "",
    ...machine.files,
    "/srv/shop/shop.toml": text,
  };
  return loadConfig("shop.toml", createFakeWorld({ ...machine, files }));
}

export function loadSound(text: string, machine?: FakeMachine): Config {
  const result = loadText(text, machine);
  if (result.ok) return result.config;
  throw new Error(result.reason === "invalid" ? formatConfigErrors(result.errors) : result.message);
}

export function loadErrors(text: string | Uint8Array, machine?: FakeMachine): readonly ConfigError[] {
  const result = loadText(text, machine);
  if (!result.ok && result.reason === "invalid") return result.errors;
  throw new Error(result.ok ? "the configuration is valid" : result.message);
}

/** The messages as a user sees them, one a line. */
export function loadMessages(text: string | Uint8Array, machine?: FakeMachine): readonly string[] {
  return formatConfigErrors(loadErrors(text, machine)).split("\n");
}

/** The one message that the file gives. */
export function loadMessage(text: string | Uint8Array, machine?: FakeMachine): string {
  const messages = loadMessages(text, machine);
  if (messages.length === 1) return messages[0] ?? "";
  throw new Error(`not one message: ${messages.join("\n")}`);
}

/** A sound file with one `program` set; `extra` goes into the set, `before` stands in front of it. */
export function programFile(extra = "", before = ""): string {
  return `[supervisor]\nname = "shop"\n${before}\n[worker]\ntype = "program"\ncmdline = ["sleep", "60"]\n${extra}\n`;
}

/** A sound file with one `ruby` set; `extra` goes into the set. */
export function rubyFile(extra = ""): string {
  const set = `type = "ruby"\ngemfile = "Gemfile"\nload = "app.rb"\nstart_expression = "Shop.run"`;
  return `[supervisor]\nname = "shop"\n\n[worker]\n${set}\n${extra}\n`;
}
