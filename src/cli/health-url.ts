import { loadConfig } from "../config/load.ts";
import { formatUrl } from "../health/address.ts";
import { defaultConfigFile } from "./definitions.ts";
import { reportLoad } from "./load.ts";
import { realWorld } from "./world.ts";

/** The address of the overall answer as the configuration has it; undefined, after saying why, when it has none. */
export function findHealthUrl(
  configFile: string | undefined,
  complain: (text: string) => void,
): string | undefined {
  const file = configFile ?? defaultConfigFile;
  const loaded = reportLoad(loadConfig(file, realWorld()));
  if (!loaded.ok) {
    complain("kleinhirn health: no address without a configuration; name one with --url or -f");
    return undefined;
  }
  const { healthCheck } = loaded.config;
  if (healthCheck === undefined) {
    complain(
      `kleinhirn health: ${file} has no health_check.listen_addr; set it, or name an address with --url`,
    );
    return undefined;
  }
  return formatUrl(healthCheck.listen, healthCheck.endpoint);
}
