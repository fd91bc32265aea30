import type { ListenAddress } from "../config/config.ts";

/** `http://127.0.0.1:3000/healthz`, or `unix:/run/health.sock:/healthz`, as `kleinhirn health --url` takes it. */
export function formatUrl(address: ListenAddress, path: string): string {
  if (address.kind === "unix") return `unix:${address.path}:${path}`;
  return `http://${formatHost(address.hostname)}:${address.port}${path}`;
}

/**
 * Where a client on the same machine reaches what listens there: the wildcard addresses are for listening alone. A socket on
 * `::` takes IPv4 too, and many containers have no `::1`, so 127.0.0.1 stands for both.
 */
export function reachableAddress(address: ListenAddress): ListenAddress {
  if (address.kind === "unix" || !isWildcard(address.hostname)) return address;
  return { ...address, hostname: "127.0.0.1" };
}

/** In any spelling: `0.0.0.0`, `[::]`, `0:0::0`. */
function isWildcard(hostname: string): boolean {
  const canonical = URL.parse(`http://${formatHost(hostname)}/`)?.hostname;
  return canonical === "0.0.0.0" || canonical === "[::]";
}

/** As the configuration writes it: `127.0.0.1:3000`, `[::]:3000`, `unix:/run/health.sock`. */
export function formatAddress(address: ListenAddress): string {
  return address.kind === "unix" ? `unix:${address.path}` : `${formatHost(address.hostname)}:${address.port}`;
}

function formatHost(hostname: string): string {
  const bare = hostname.replace(/^\[(.*)\]$/, "$1");
  return bare.includes(":") ? `[${bare}]` : bare;
}
