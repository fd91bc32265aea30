/** What a worker finds in its environment (specification section 5). */
import type { WorkerSetConfig } from "../config/config.ts";
import type { WorkerId } from "../core/event.ts";

export type Environment = Readonly<Record<string, string>>;

/** What all workers and preloaders of this supervisor have in common. */
export type ServiceIdentity = {
  readonly name: string;
  readonly version: string;
  /** As the worker's socket library takes it: a path, or `@name` for the abstract namespace. */
  readonly socket: string;
};

/** Of a supervisor above this one, whose worker this supervisor may be: they would name the wrong worker. */
const namesOfAnotherWorker = [
  "KLEINHIRN_SOCKET",
  "KLEINHIRN_STATUS_FD",
  "KLEINHIRN_WORKER_ID",
  "KLEINHIRN_WORKER_SLOT",
  "KLEINHIRN_SET",
  "KLEINHIRN_NAME",
  "KLEINHIRN_VERSION",
];

/** What the supervisor hands down of its own environment, and the set's variables over it. */
export function baseEnvironment(inherited: Environment, set: WorkerSetConfig): Environment {
  const base: Record<string, string> = { ...inherited };
  for (const name of namesOfAnotherWorker) delete base[name];
  return { ...base, ...set.env };
}

export function workerEnvironment(
  base: Environment,
  service: ServiceIdentity,
  worker: { readonly id: WorkerId; readonly set: string; readonly slot: number },
): Environment {
  return {
    ...base,
    KLEINHIRN_SOCKET: service.socket,
    KLEINHIRN_WORKER_ID: worker.id,
    KLEINHIRN_WORKER_SLOT: String(worker.slot),
    KLEINHIRN_SET: worker.set,
    KLEINHIRN_NAME: service.name,
    KLEINHIRN_VERSION: service.version,
  };
}
