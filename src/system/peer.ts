import { expectAnswer, getsockopt } from "./libc.ts";
import { type ProcessStat, readProcessStat } from "./process-table.ts";

export type PeerCredentials = { readonly pid: number; readonly uid: number; readonly gid: number };

const socketLevel = 1; // SOL_SOCKET
const peerCredentialsOption = 17; // SO_PEERCRED

/**
 * Who connected to (or made) the Unix socket at the other end, by the kernel's word (unix(7)). The pid is 0 when that
 * process is in a pid namespace that ours can't see into. Throws an `OperatingSystemError` for anything else than a
 * Unix socket.
 */
export function peerCredentials(descriptor: number): PeerCredentials {
  const value = new Int32Array(3);
  const answer = getsockopt(descriptor, socketLevel, peerCredentialsOption, value);
  expectAnswer(answer, "getsockopt(SO_PEERCRED)", `of descriptor ${descriptor}`);
  const [pid = 0, uid = 0, gid = 0] = value;
  return { pid, uid, gid };
}

/**
 * More generations than a worker has between itself and whatever acks for it; a bound, should /proc lead in circles.
 */
const farthestAncestor = 64;

/**
 * Whether `peer` is the worker or comes from it: by its parents up to the worker, or, where one of them has daemonised
 * and its parent is lost, by the session that the worker leads. A process that is gone comes from nobody, and pid 0
 * (of another namespace) can't be known.
 */
export function isSelfOrDescendant(
  peer: number,
  worker: number,
  lookUp: (pid: number) => ProcessStat | undefined = readProcessStat,
): boolean {
  if (peer <= 0 || worker <= 0) return false;
  if (peer === worker) return true;
  let pid = peer;
  for (let steps = 0; steps < farthestAncestor && pid > 1; steps++) {
    const stat = lookUp(pid);
    if (stat === undefined) return false;
    if (stat.parent === worker || stat.session === worker) return true;
    pid = stat.parent;
  }
  return false;
}
