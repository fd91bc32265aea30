/** The machine as reading a configuration sees it, once for all commands. */
import { createRealWorld } from "../config/real-world.ts";
import type { World } from "../config/world.ts";
import { availableCpus } from "../system/cpus.ts";

export function realWorld(): World {
  return createRealWorld(availableCpus);
}
