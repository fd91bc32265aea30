/** Every table there is, in the order of the document. */
import type { Table } from "./cell.ts";
import { fleetTable } from "./fleet.ts";
import { preloaderTable } from "./preloader.ts";
import { programWorkerTable } from "./program-worker.ts";
import { rubyWorkerTable } from "./ruby-worker.ts";
import { workerSetTable } from "./worker-set.ts";

export const tables: readonly Table[] = [
  rubyWorkerTable,
  programWorkerTable,
  workerSetTable,
  preloaderTable,
  fleetTable,
];
