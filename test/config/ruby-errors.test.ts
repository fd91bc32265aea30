import { describe, expect, test } from "bun:test";
import { loadMessage, loadMessages, rubyFile } from "./loading.ts";

describe("ruby sets", () => {
  const without = (key: string): string =>
    rubyFile()
      .split("\n")
      .filter((line) => !line.startsWith(`${key} =`))
      .join("\n");

  test.each([
    ["load", "path"],
    ["start_expression", "string"],
  ])("%s is required", (key, type) => {
    expect(loadMessage(without(key))).toBe(
      `shop.toml:4: worker.${key}: expected a value (${type}), found none; this key is required`,
    );
  });

  test.each([
    [
      '"app.rb"',
      '"lib.rb"',
      '7: worker.load: expected a file that can be read, found "/srv/shop/lib.rb", which isn\'t there',
    ],
    [
      '"app.rb"',
      '"/tmp"',
      '7: worker.load: expected a file that can be read, found "/tmp", which is a folder',
    ],
    ['"app.rb"', '"closed.rb"', 'found "/srv/shop/closed.rb", which may not be read'],
    ['"Gemfile"', '"Gmfile"', "6: worker.gemfile: expected a file that can be read"],
    ['"Shop.run"', '""', "worker.start_expression: expected a Ruby expression, found an empty string"],
    ['"Shop.run"', '" \\n"', "found only white space"],
    ['"Shop.run"', '"x"\nload_timeout = "0s"', "worker.load_timeout: expected a duration above zero"],
    ['"Shop.run"', '"x"\ncmdline = ["x"]', '9: worker.cmdline: expected only keys of a set of type "ruby"'],
  ])("%s instead of %s", (right, wrong, message) => {
    const machine = { files: { "/srv/shop/closed.rb": "" }, closed: ["/srv/shop/closed.rb"] };
    expect(loadMessage(rubyFile().replace(right, wrong), machine)).toContain(message);
  });

  test("there must be a ruby", () => {
    const message = loadMessage(rubyFile("env.PATH = '/opt'"));
    expect(message).toStartWith("shop.toml:5: worker.type: expected a program that can be executed");
    expect(message).toContain('"ruby", which is in no folder of PATH');
  });

  test("without a type, what is written is still checked", () => {
    expect(loadMessages(`${without("type")}cmdline = 3\nload_timeout = 5`)).toEqual([
      'shop.toml:4: worker.type: expected a value ("program", "ruby"), found none; this key is required',
      expect.stringContaining("shop.toml:9: worker.cmdline: expected an array of strings"),
      expect.stringContaining("shop.toml:10: worker.load_timeout: expected a duration"),
    ]);
  });
});
