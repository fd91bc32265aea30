import type { ListenAddress } from "../config/config.ts";
import { formatAddress } from "./address.ts";

/** The health endpoint can't be opened: the port or socket is taken, or may not be had. For exit status 69. */
export class HealthServerError extends Error {
  override readonly name = "HealthServerError";
  /** The operating system's name for it: `EADDRINUSE`, `EACCES`, … */
  readonly code: string;

  constructor(address: ListenAddress, code: string, cause: unknown) {
    const reason = explain(address, code);
    super(`health_check.listen_addr: can't listen on ${formatAddress(address)}: ${reason}`, { cause });
    this.code = code;
  }
}

function explain(address: ListenAddress, code: string): string {
  return address.kind === "unix" ? explainUnix(code) : explainTcp(address.port, code);
}

/** As in bind(2) and ip(7). */
function explainTcp(port: number, code: string): string {
  switch (code) {
    case "EADDRINUSE":
      return "another process listens there (EADDRINUSE); stop it or choose another port";
    case "EACCES":
    case "EPERM":
      return `permission denied (${code}); choose a port of 1024 or above instead of ${port}, or grant CAP_NET_BIND_SERVICE`;
    case "EADDRNOTAVAIL":
      return "this machine has no such address (EADDRNOTAVAIL); 0.0.0.0 or [::] stands for all that it has";
    case "EAFNOSUPPORT":
      return "this kernel doesn't speak that address family (EAFNOSUPPORT); an IPv4 address such as 0.0.0.0 may work";
    default:
      return code;
  }
}

/** As in bind(2) and unix(7). */
function explainUnix(code: string): string {
  switch (code) {
    case "EADDRINUSE":
      return "another process listens there (EADDRINUSE); stop it or choose another path";
    case "ENOTSOCK":
      return "the path is taken by something that is no socket, which is left alone; remove it or choose another path";
    case "EACCES":
    case "EPERM":
      return `permission denied (${code}); choose a folder that kleinhirn's user may write to`;
    case "EROFS":
      return "the file system is read-only (EROFS); choose a folder on a writable one";
    case "ENOENT":
    case "ENOTDIR":
      return `its folder does not exist (${code}); create it first`;
    case "ENAMETOOLONG":
    case "EINVAL":
      return `the path is too long (${code}); the kernel takes at most 107 bytes`;
    default:
      return code;
  }
}
