import { describe, expect, test } from "bun:test";
import { listDefaultSocketPaths } from "../../src/config/socket-path.ts";
import { loadMessages, loadSound, programFile } from "./loading.ts";

describe("listDefaultSocketPaths", () => {
  test.each([
    [undefined, ["/tmp/kleinhirn-shop.sock"]],
    ["", ["/tmp/kleinhirn-shop.sock"]],
    ["relative", ["/tmp/kleinhirn-shop.sock"]],
    ["/run/user/7", ["/run/user/7/kleinhirn-shop.sock", "/tmp/kleinhirn-shop.sock"]],
    ["/run/user/7//", ["/run/user/7/kleinhirn-shop.sock", "/tmp/kleinhirn-shop.sock"]],
  ])("with XDG_RUNTIME_DIR %j", (folder, paths) => {
    expect(listDefaultSocketPaths("shop", { XDG_RUNTIME_DIR: folder })).toEqual(paths);
  });
});

describe("supervisor.socket", () => {
  const fileWith = (socket: string): string =>
    programFile().replace('name = "shop"', `name = "shop"\nsocket = "${socket}"`);

  test.each([
    ["s.sock", "/srv/shop/s.sock"],
    ["../shop/./s.sock", "/srv/shop/s.sock"],
    ["/tmp/s.sock", "/tmp/s.sock"],
    ["@shop", "@shop"],
    [`/tmp/${"s".repeat(102)}`, `/tmp/${"s".repeat(102)}`],
    [`@${"s".repeat(107)}`, `@${"s".repeat(107)}`],
  ])("%s", (socket, address) => {
    expect(loadSound(fileWith(socket)).supervisor.socket).toBe(address);
  });

  test.each([`/tmp/${"s".repeat(103)}`, `@${"s".repeat(108)}`])("%s is one byte too long", (socket) => {
    expect(loadMessages(fileWith(socket))).toEqual([expect.stringContaining("at most 107 bytes")]);
  });

  test("what counts is the path after it was made absolute, in bytes", () => {
    expect(loadMessages(fileWith("ü".repeat(50)))).toEqual([expect.stringContaining("found 110 bytes")]);
  });

  test("a long default is no error when the file names a socket", () => {
    const env = { XDG_RUNTIME_DIR: `/run/${"x".repeat(100)}` };
    expect(loadSound(fileWith("@shop"), { env }).supervisor.socket).toBe("@shop");
  });
});
