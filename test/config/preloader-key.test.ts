import { describe, expect, test } from "bun:test";
import type { WorkerSetConfig } from "../../src/config/config.ts";
import { groupByPreloader, preloaderKey } from "../../src/config/preloader-key.ts";
import { loadSound } from "./loading.ts";

const base =
  'type = "ruby"\nstart_expression = "Shop.run"\ngemfile = "Gemfile"\nload = "app.rb"\nenv = { A = "1", B = "2" }\n';

function loadSets(...sets: readonly string[]): readonly WorkerSetConfig[] {
  const tables = sets.map((text, index) => `[workers.set${index}]\n${text}`);
  const machine = { files: { "/srv/shop/other/Gemfile": "", "/srv/shop/other/app.rb": "" } };
  return loadSound(`[supervisor]\nname = "shop"\n${tables.join("\n")}`, machine).sets;
}

describe("two ruby sets", () => {
  test.each([
    ["that differ only in what they run", 'start_expression = "x"\ncount = 5\nload_timeout = "1m"'],
    ["whose paths are written in another way", 'gemfile = "../shop/Gemfile"\nload = "./app.rb"\ncwd = "."'],
    ["whose variables stand in another order", 'env = { B = "2", A = "1" }'],
  ])("%s share a preloader", (_, change) => {
    const [left, right] = loadSets(base, overrideKeys(base, change)).map(preloaderKey);
    expect(left).toBeString();
    expect(right).toBe(left);
  });

  test.each([
    ["gemfile", 'gemfile = "other/Gemfile"'],
    ["load", 'load = "other/app.rb"'],
    ["cwd", 'cwd = "other"'],
    ["env", 'env = { A = "1", B = "3" }'],
    ["the names in env", 'env = { A = "1", C = "2" }'],
    ["what is missing from env", 'env = { A = "1" }'],
  ])("that differ in %s do not", (_, change) => {
    const [left, right] = loadSets(base, overrideKeys(base, change)).map(preloaderKey);
    expect(left).not.toBe(right);
  });

  test("a set without a Gemfile is not one whose Gemfile is called so", () => {
    const [left, right] = loadSets(base, base.replace('gemfile = "Gemfile"\n', "")).map(preloaderKey);
    expect(left).not.toBe(right);
  });
});

function overrideKeys(text: string, change: string): string {
  const changed = new Set(change.split("\n").map((line) => line.split(" = ")[0]));
  const kept = text.split("\n").filter((line) => !changed.has(line.split(" = ")[0]));
  return [...kept, change].join("\n");
}

test("a program has no preloader", () => {
  const [program] = loadSound(
    '[supervisor]\nname = "s"\n[worker]\ntype = "program"\ncmdline = ["sleep"]',
  ).sets;
  expect(program && preloaderKey(program)).toBeUndefined();
});

test("groups stand in the order of the sets, with the longest load_timeout of each", () => {
  const groups = groupByPreloader(
    loadSets(
      overrideKeys(base, 'load_timeout = "1m"'),
      'type = "program"\ncmdline = ["sleep"]',
      overrideKeys(base, 'load = "other/app.rb"'),
      overrideKeys(base, 'load_timeout = "2m"'),
    ),
  );
  expect(groups.map(({ sets, loadTimeoutMs }) => [sets.map((set) => set.name), loadTimeoutMs])).toEqual([
    [["set0", "set3"], 120_000],
    [["set2"], 300_000],
  ]);
});
