import { describe, expect, test } from "bun:test";
import { findProgram } from "../../src/config/program.ts";
import { createFakeWorld } from "./fake-world.ts";

const world = createFakeWorld({
  programs: [
    "/usr/bin/ruby",
    "/opt/ruby",
    "/srv/app/serve",
    "/srv/app/bin/serve",
    "/closed/ruby",
    "/closed/puma",
  ],
  files: { "/data/ruby": "" },
  folders: ["/folders/ruby"],
  closed: ["/closed/ruby", "/closed/puma"],
});

describe("findProgram", () => {
  test.each([
    ["ruby", "/usr/bin:/opt", "/usr/bin/ruby"],
    ["ruby", "/opt:/usr/bin", "/opt/ruby"],
    ["ruby", "/nowhere:/data:/folders:/closed:/opt", "/opt/ruby"],
    ["ruby", undefined, "/bin/ruby"],
    ["serve", "/opt:", "/srv/app/serve"],
    ["serve", "bin", "/srv/app/bin/serve"],
    ["./serve", "/opt", "/srv/app/serve"],
    ["bin/serve", "/opt", "/srv/app/bin/serve"],
    ["/opt/ruby", "", "/opt/ruby"],
  ])("%s with PATH %j is %s", (program, searchPath, path) => {
    expect(findProgram(program, "/srv/app", searchPath, world)).toEqual({ ok: true, path });
  });

  test.each([
    ["rubi", "/usr/bin", '"rubi", which is in no folder of PATH'],
    ["puma", "/nowhere:/closed", '"puma" at "/closed/puma", which isn\'t executable'],
    ["ruby", "/data", '"ruby" at "/data/ruby", which isn\'t executable'],
    ["ruby", "/folders", '"ruby" at "/folders/ruby", which is a folder'],
    ["./ruby", "/usr/bin", '"./ruby" at "/srv/app/ruby", which isn\'t there (ENOENT)'],
    ["/", "/usr/bin", '"/", which is a folder'],
  ])("%s with PATH %j isn't there", (program, searchPath, found) => {
    expect(findProgram(program, "/srv/app", searchPath, world)).toEqual({ ok: false, found });
  });
});
