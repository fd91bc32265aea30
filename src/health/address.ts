import type { ListenAddress } from "../config/config.ts";

/** `http://127.0.0.1:3000/healthz`, or `unix:/run/health.sock:/healthz`, as `kleinhirn health --url` takes it. */
export function formatUrl(address: ListenAddress, path: string): string {
  if (address.kind === "unix") return `unix:${address.path}:${path}`;
  return `http://${formatHost(address.hostname)}:${address.port}${path}`;
}

/**
 * What a client on the same machine connects to: the wildcard addresses, in any spelling, are for listening alone. A socket on
 * `::` takes IPv4 too, and many containers have no `::1`, so 127.0.0.1 stands for both.
 */
export function reachableHost(hostname: string): string {
  const canonical = URL.parse(`http://${formatHost(hostname)}/`)?.hostname;
  return canonical === "0.0.0.0" || canonical === "[::]" ? "127.0.0.1" : hostname;
}

/** As the configuration writes it: `127.0.0.1:3000`, `[::]:3000`, `unix:/run/health.sock`. */
export function formatAddress(address: ListenAddress): string {
  return address.kind === "unix" ? `unix:${address.path}` : `${formatHost(address.hostname)}:${address.port}`;
}

function formatHost(hostname: string): string {
  const bare = hostname.replace(/^\[(.*)\]$/, "$1");
  return bare.includes(":") ? `[${bare}]` : bare;
}
