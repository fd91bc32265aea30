/** How the descriptors that the supervisor may have open are shared out, so that no stranger can use up the workers'. */
import type { Config, WorkerSetConfig } from "./config/config.ts";
import { groupByPreloader } from "./config/preloader-key.ts";
import { StartError } from "./start-error.ts";

/** What a supervisor without workers has open, about 15, and as much again for a launch or a look at /proc. */
const ownDescriptors = 32;

/** A preloader's pidfd and its connection, and the connection of the one before it that is still read to its end. */
const descriptorsOfPreloader = 3;

/** Beside the workers that ack: `kleinhirn ack`, error reports, whoever looks. */
const leastConnections = 8;

/**
 * Connections cost memory too: whoever sends half a line makes us hold it, 64 KiB of it on the socket and 8 KiB of a request.
 * Well above one for each of a thousand workers.
 */
const mostConnections = 2048;

export type DescriptorPlan = {
  /** How many connections to the supervisor's socket may be open at a time, preloaders' own left aside. */
  readonly socketConnections: number;
  readonly healthConnections: number;
};

/**
 * Workers come first, each with room for its ack at the same time as all others'; what is left is halved between the
 * supervisor's socket and the health server.
 *
 * @param limit how many may be open (RLIMIT_NOFILE); Infinity: as many as one likes.
 * @throws StartError when they would not suffice: better now than at the first death at night.
 */
export function planDescriptors(config: Config, inheritedSockets: number, limit: number): DescriptorPlan {
  const preloaders = groupByPreloader(config.sets).length;
  const workers = sum(config.sets.map(descriptorsOfSet));
  const acks = sum(config.sets.map(({ ack, count }) => (ack === "message" ? count : 0)));
  const connections = acks + leastConnections + (config.healthCheck === undefined ? 0 : leastConnections);
  const needed =
    ownDescriptors + inheritedSockets + workers + preloaders * descriptorsOfPreloader + connections;
  if (limit < needed) {
    const message = `only ${limit} open descriptors are allowed, and this configuration needs ${needed} for its workers, their acks and probes; raise the hard limit (ulimit -Hn, LimitNOFILE, --ulimit nofile) or lower the counts`;
    throw new StartError("refused", message);
  }
  const half = Math.floor((limit - needed) / 2);
  return {
    socketConnections: Math.max(
      acks + leastConnections,
      Math.min(mostConnections, leastConnections + acks + half),
    ),
    healthConnections: Math.min(mostConnections, leastConnections + half),
  };
}

/** Of a program: its pidfd, and our end of its ack descriptor. Forked workers are children without either. */
function descriptorsOfSet({ command, ack, count }: WorkerSetConfig): number {
  if (command.type !== "program") return 0;
  return ack === "message" ? 2 * count : count;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
