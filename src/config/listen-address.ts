import type { ListenAddress } from "./config.ts";
import { describeValue, quote } from "./printable.ts";
import { type Failed, fail, failType, type Site, type ValueType } from "./reader.ts";
import type { TomlValue } from "./toml.ts";

const expected = 'an address such as "127.0.0.1:3000", "[::]:3000" or "unix:/run/health.sock"';

/** The path of a `unix:` address is not yet resolved against a folder. */
export const listenAddress: ValueType<ListenAddress> = {
  name: "address",
  read: (value, site) => {
    if (typeof value !== "string") return failType(site, expected, value, advisePort(value));
    if (value.startsWith("unix:")) return readUnix(value.slice("unix:".length), site);
    const [, hostname, port] = /^(.*):(\d{1,5})$/s.exec(value) ?? [];
    if (hostname === undefined || port === undefined) return refuse(value, site, adviseMissingPort(value));
    if (Number(port) > 65535) return refuse(value, site, "a port is at most 65535");
    const bare = hostname.replace(/^\[(.*)\]$/s, "$1");
    const isAddress = bare === hostname ? isIpv4(bare) : isIpv6(bare);
    return isAddress
      ? { kind: "tcp", hostname: bare, port: Number(port) }
      : refuse(value, site, adviseHost(hostname, port));
  },
};

function refuse(value: string, site: Site, suggestion: string | undefined): Failed {
  return fail(site, expected, quote(value), suggestion);
}

function readUnix(path: string, site: Site): ListenAddress | Failed {
  if (path.trim() === "" || path.includes("\0"))
    return refuse(`unix:${path}`, site, "a path belongs after unix:");
  if (path.startsWith("@")) return refuse(`unix:${path}`, site, "health is not served on abstract sockets");
  return { kind: "unix", path };
}

function advisePort(value: TomlValue): string | undefined {
  return typeof value === "number" ? `to listen on all addresses, write "[::]:${value}"` : undefined;
}

function adviseMissingPort(value: string): string {
  if (/^\d+$/.test(value)) return `to listen on all addresses, write "[::]:${value}"`;
  return value.startsWith("/") ? "put unix: before a path" : "a port belongs at the end, after a colon";
}

/** Names are refused, as the original did: what they mean depends on the files of the image. */
function adviseHost(hostname: string, port: string): string {
  if (hostname === "" || hostname === "*")
    return `for all addresses write "[::]:${port}" or "0.0.0.0:${port}"`;
  if (hostname === "localhost") return `write "127.0.0.1:${port}"`;
  if (isIpv6(hostname)) return `IPv6 addresses stand in brackets: "[${hostname}]:${port}"`;
  return "write an IP address, not a name";
}

/** Four decimal numbers; a leading zero would be octal to some readers, so it is refused. */
function isIpv4(host: string): boolean {
  const part = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
  return new RegExp(`^${part}(\\.${part}){3}$`).test(host);
}

function isIpv6(host: string): boolean {
  return /^[0-9A-Fa-f:.]+$/.test(host) && URL.canParse(`http://[${host}]/`);
}

const answeredAnyway = ["/livez", "/readyz"];

/** The path of the overall answer, in the very form in which a request will carry it. */
export const endpoint: ValueType<string> = {
  name: "URL path",
  read: (value, site) => {
    const what = 'a URL path such as "/healthz"';
    if (typeof value !== "string" || !value.startsWith("/")) {
      return failType(site, what, value, typeof value === "string" ? 'it begins with "/"' : undefined);
    }
    if (answeredAnyway.includes(value)) {
      return fail(
        site,
        "a path other than /livez and /readyz",
        describeValue(value),
        "these two are always there",
      );
    }
    const plain = /^[\x21-\x7e]+$/.test(value) && URL.parse(`http://host${value}`)?.pathname === value;
    return plain
      ? value
      : fail(site, what, quote(value), 'without "..", "?", "#", spaces and special characters');
  },
};
