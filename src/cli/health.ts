/** `kleinhirn health`: what a container's health check runs, in an image that need not have anything else. */
import { nameError } from "../error-code.ts";
import { reachableHost } from "../health/address.ts";
import { exitFailed, exitOk } from "./exit-code.ts";
import { complain, print } from "./load.ts";
import { shown, UsageError } from "./usage-error.ts";

export type HealthOptions = {
  readonly url: string | undefined;
  /** Where the address stands when `url` doesn't say it; undefined: the default file. */
  readonly configFile: string | undefined;
};

export type HealthPorts = {
  readonly timeoutMs: number;
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
  /** The address in the configuration; undefined, after saying why, when there is none. */
  readonly findUrl: (configFile: string | undefined) => Promise<string | undefined>;
};

type Target = { readonly url: string; readonly unix: string | undefined };

const defaultPath = "/healthz";

const defaults: HealthPorts = {
  timeoutMs: 5000,
  print,
  complain,
  // Only who doesn't name the address pays for reading the configuration.
  findUrl: async (configFile) => (await import("./health-url.ts")).findHealthUrl(configFile, complain),
};

/**
 * Asks the endpoint once and prints what it says.
 *
 * @throws UsageError when the URL is none.
 */
export async function runHealth(options: HealthOptions, ports: Partial<HealthPorts> = {}): Promise<number> {
  const { timeoutMs, print, complain, findUrl } = { ...defaults, ...ports };
  const address = options.url ?? (await findUrl(options.configFile));
  if (address === undefined) return exitFailed;
  const target = readAddress(address);
  try {
    const response = await fetchDirectly(target, timeoutMs);
    print(await response.text());
    return response.status === 200 ? exitOk : exitFailed;
  } catch (error) {
    complain(`kleinhirn health: ${explain(error, timeoutMs)} at ${shown(address)}`);
    return exitFailed;
  }
}

/** `http://HOST:PORT/PATH`, or `unix:SOCKET:/PATH`; the path may be left out. */
function readAddress(address: string): Target {
  if (address.startsWith("unix:")) return readUnixAddress(address.slice("unix:".length), address);
  const url = URL.parse(address);
  if (url?.protocol !== "http:") throw badUrl(address);
  if (url.pathname === "/") url.pathname = defaultPath;
  url.hostname = reachableHost(url.hostname);
  return { url: url.href, unix: undefined };
}

function readUnixAddress(rest: string, address: string): Target {
  const colon = rest.lastIndexOf(":/");
  const socket = colon === -1 ? rest : rest.slice(0, colon);
  if (socket === "") throw badUrl(address);
  const path = colon === -1 ? defaultPath : rest.slice(colon + 1);
  return { url: `http://localhost${path}`, unix: socket };
}

function badUrl(address: string): UsageError {
  return new UsageError(
    `--url must be http://HOST:PORT/PATH or unix:SOCKET:/PATH, not ${shown(address)}`,
    "health",
  );
}

/** Proxies are for reaching others: fetch would send even what is for the loopback interface to `http_proxy`. */
async function fetchDirectly({ url, unix }: Target, timeoutMs: number): Promise<Response> {
  process.env.NO_PROXY = "*";
  process.env.no_proxy = "*";
  return await fetch(url, {
    redirect: "manual",
    signal: AbortSignal.timeout(timeoutMs),
    ...(unix !== undefined && { unix }),
  });
}

function explain(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === "TimeoutError")
    return `no answer within ${timeoutMs / 1000} s`;
  return `nothing answers (${nameError(error)})`;
}
