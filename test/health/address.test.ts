import { describe, expect, test } from "bun:test";
import { formatAddress, formatUrl, reachableHost } from "../../src/health/address.ts";

describe("addresses", () => {
  test.each([
    [{ kind: "tcp", hostname: "127.0.0.1", port: 3000 }, "127.0.0.1:3000", "http://127.0.0.1:3000/healthz"],
    [{ kind: "tcp", hostname: "::", port: 80 }, "[::]:80", "http://[::]:80/healthz"],
    [{ kind: "tcp", hostname: "[::1]", port: 80 }, "[::1]:80", "http://[::1]:80/healthz"],
    [{ kind: "unix", path: "/run/h.sock" }, "unix:/run/h.sock", "unix:/run/h.sock:/healthz"],
  ] as const)("%j is %s", (address, text, url) => {
    expect(formatAddress(address)).toBe(text);
    expect(formatUrl(address, "/healthz")).toBe(url);
  });

  test.each([
    ["0.0.0.0", "127.0.0.1"],
    ["::", "127.0.0.1"],
    ["[::]", "127.0.0.1"],
    ["0:0:0:0::0", "127.0.0.1"],
    ["::1", "::1"],
    ["10.0.0.7", "10.0.0.7"],
    ["a b", "a b"],
  ])("to reach what listens on %s, connect to %s", (hostname, reachable) => {
    expect(reachableHost(hostname)).toBe(reachable);
  });
});
