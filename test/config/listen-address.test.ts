import { describe, expect, test } from "bun:test";
import { endpoint, listenAddress } from "../../src/config/listen-address.ts";
import type { TomlValue } from "../../src/config/toml.ts";
import { readMessage, readValue } from "./reading.ts";

describe("listen_addr", () => {
  test.each([
    ["127.0.0.1:3000", "127.0.0.1", 3000],
    ["0.0.0.0:0", "0.0.0.0", 0],
    ["255.255.255.255:65535", "255.255.255.255", 65535],
    ["[::]:3000", "::", 3000],
    ["[::1]:80", "::1", 80],
    ["[2001:db8::7]:8080", "2001:db8::7", 8080],
    ["[::ffff:10.0.0.1]:8080", "::ffff:10.0.0.1", 8080],
  ])("%s", (text, hostname, port) => {
    expect(readValue(listenAddress, text)).toEqual({ kind: "tcp", hostname, port });
  });

  test("a Unix socket", () => {
    expect(readValue(listenAddress, "unix:run/h.sock")).toEqual({ kind: "unix", path: "run/h.sock" });
  });

  test.each([
    [":3000", 'for all addresses write "[::]:3000" or "0.0.0.0:3000"'],
    ["*:3000", 'for all addresses write "[::]:3000"'],
    ["localhost:3000", 'write "127.0.0.1:3000"'],
    ["shop.example:3000", "write an IP address, not a name"],
    ["::1:3000", 'IPv6 addresses stand in brackets: "[::1]:3000"'],
    ["[127.0.0.1]:3000", "not a name"],
    ["[::1", "not a name"],
    ["[fe80::1%eth0]:1", "not a name"],
    ["[:::]:1", "not a name"],
    ["127.0.0.1", "a port belongs at the end, after a colon"],
    ["127.0.0.1:", "a port belongs at the end"],
    ["127.0.0.1:http", "a port belongs at the end"],
    ["127.0.0.1:65536", "a port is at most 65535"],
    ["127.0.0.1:123456", "a port belongs at the end"],
    ["127.0.0.01:80", "not a name"],
    ["127.0.1:80", "not a name"],
    ["256.0.0.1:80", "not a name"],
    ["3000", 'to listen on all addresses, write "[::]:3000"'],
    ["/run/h.sock", "put unix: before a path"],
    ["unix:", "a path belongs after unix:"],
    ["unix:a\0b", "a path belongs after unix:"],
    ["unix:@health", "health is not served on abstract sockets"],
    ["", "a port belongs at the end"],
    [3000, 'write "[::]:3000"'],
    [true, "found true (a boolean)"],
  ] as [TomlValue, string][])("%j is refused", (value, advice) => {
    const message = readMessage(listenAddress, value);
    expect(message).toStartWith('key: expected an address such as "127.0.0.1:3000"');
    expect(message).toContain(advice);
  });
});

describe("endpoint", () => {
  test.each(["/", "/healthz", "/a/b.c", "/~x/%20", "//x", "/livez/", "/readyz2"])("%s", (path) => {
    expect(readValue(endpoint, path)).toBe(path);
  });

  test.each([
    ["", 'it begins with "/"'],
    ["healthz", 'it begins with "/"'],
    ["http://host/", 'it begins with "/"'],
    ["/livez", "these two are always there"],
    ["/readyz", "these two are always there"],
    ["/a b", 'without "..", "?", "#", spaces'],
    ["/a?b", 'without ".."'],
    ["/a#b", 'without ".."'],
    ["/a/../readyz", 'without ".."'],
    ["/ä", 'without ".."'],
    ["/a\n", 'without ".."'],
    [3, "found 3 (an integer)"],
  ] as [TomlValue, string][])("%j is refused", (value, advice) => {
    expect(readMessage(endpoint, value)).toContain(advice);
  });
});
