/** Bugs of the kinds that supervisors have had, each as a small change of the source; the simulator has to find them all. */

export type PlantedBug = {
  /** What it gets wrong, in the words of the faults that the simulator knows. */
  readonly about: string;
  /** Relative to the repository. */
  readonly file: string;
  /** Stands there exactly once. */
  readonly find: string;
  readonly replace: string;
};

export const plantedBugs: readonly PlantedBug[] = [
  {
    about: "a standby has died and is reaped: the preloader does not look before it announces it",
    file: "test/simulation/programs/preloader.ts",
    find: 'middleExit !== undefined && worker?.state === "alive"',
    replace: "middleExit !== undefined && worker !== undefined",
  },
  {
    about: "an exit before its `launched`: every stranger is reaped as an orphan at once",
    file: "src/system/reaper.ts",
    find: "if (this.#ports.oldestPendingLaunch() < notBefore) {",
    replace: "if (Date.now() < 0) {",
  },
  {
    about: "an ack before its `launched`: it is refused instead of kept",
    file: "src/acks.ts",
    find: 'if (worker?.phase === "requested") return this.#park(id, { peerPid, reply });',
    replace: "",
  },
  {
    about: "a late ack: it takes back the decision that the worker must go",
    file: "src/core/worker-events.ts",
    find: 'case "stopping": // Late: the decision that it must go stands.',
    replace: 'case "stopping": return becomeReady(turn, set, slot, worker);',
  },
  {
    about: "a repeated ack: it is refused",
    file: "src/acks.ts",
    find: 'return worker.phase === "stopping"',
    replace: 'return worker.phase === "stopping" || worker.phase === "ready"',
  },
  {
    about: "a foreign ack: nobody asks who has sent it",
    file: "src/acks.ts",
    find: "if (!this.#ports.isSelfOrDescendant(peerPid, worker.pid)) {",
    replace: "if (peerPid < 0) {",
  },
  {
    about: "an ack after the death: it is accepted",
    file: "src/acks.ts",
    find: 'return refuse("no live worker has this id", !this.#ports.wasIssued(id));',
    replace: 'return { kind: "accepted" };',
  },
  {
    about: "the preloader dies while it loads: nobody notices",
    file: "src/core/preloader-events.ts",
    find: 'if (process?.phase !== "loading" && process?.phase !== "ready" && process?.phase !== "stopping") return;',
    replace: 'if (process?.phase !== "ready" && process?.phase !== "stopping") return;',
  },
  {
    about: "the preloader dies between fork and announcement: its last lines are not waited for",
    file: "src/workers/preloader-link.ts",
    find: "return this.exit !== undefined && this.isBacklogRead && this.connections.size === 0;",
    replace: "return this.exit !== undefined;",
  },
  {
    about: "the preloader dies with spawns queued: they are waited for for ever",
    file: "src/core/preloader-events.ts",
    find: 'if (worker.phase !== "requested" && worker.phase !== "abandoned") continue;',
    replace: 'if (worker.phase !== "abandoned") continue;',
  },
  {
    about: "the preloader's pid is signalled after Bun has reaped it",
    file: "src/workers/preload-launcher.ts",
    find: 'this.#ports.post({ type: "preloaderGone", ...link.ref });',
    replace: "",
  },
  {
    about: "a fork fails with EAGAIN: it is counted as a death",
    file: "src/core/worker-events.ts",
    find: "if (shortage !== undefined) return putOffLaunch(turn, set, slot, shortage, fields);",
    replace: "if (shortage !== undefined) putOffLaunch(turn, set, slot, shortage, fields);",
  },
  {
    about: "a fork fails with EAGAIN: the slot is never used again",
    file: "src/workers/exec-launcher.ts",
    find: 'ports.schedule(() => ports.post({ type: "workerLaunchFailed", id, message, ...shortage }));',
    replace: "ports.schedule(() => message);",
  },
  {
    about: "a worker that ignores TERM is never killed",
    file: "src/core/deadline.ts",
    find: 'if (worker.phase === "stopping" && (worker.killAtMs',
    replace: 'if (worker.phase === "stopping" && Date.now() < 0 && (worker.killAtMs',
  },
  {
    about:
      "a worker that acks and exits at once: its pid is kept, and the next process that has it is taken for it",
    file: "src/workers/preload-launcher.ts",
    find: "    this.#workers.delete(pid);\n",
    replace: "",
  },
  {
    about: "a storm: of several exits that come as one SIGCHLD only the first is seen",
    file: "src/system/reaper.ts",
    find: "    for (;;) {\n",
    replace: "    for (let looks = 0; looks < 1; looks += 1) {\n",
  },
  {
    about: "a leap of the wall clock: deadlines are told by it",
    file: "test/simulation/production.ts",
    find: "return clock.nowMs;",
    replace: "return clock.wallMs;",
  },
  {
    about: "a stop: workers are still launched",
    file: "src/core/launching.ts",
    find: 'export function fillSlots(turn: Turn): void {\n  if (turn.fleet.phase.kind !== "serving") return;',
    replace: "export function fillSlots(turn: Turn): void {",
  },
  {
    about: "a second stop: it is not heard",
    file: "src/core/shutdown.ts",
    find: "if (phase.stopSignals >= 1)",
    replace: "if (phase.stopSignals >= 100)",
  },
  {
    about: "a pid is used again: the KILL for the strays of the old group hits the new worker",
    file: "src/core/strays.ts",
    find: "const strays = turn.fleet.strays.filter((stray) => stray.pgid !== pgid);",
    replace: "const strays = turn.fleet.strays;",
  },
  {
    about: "an orphan's exit is taken for a worker's",
    file: "src/system/reaper.ts",
    find: "    this.#reap(pid, this.#ports.onOrphan);\n",
    replace:
      "    this.#reap(pid, (_, exit) => this.#ports.onExit([...this.#ports.ourPids()][0] ?? pid, exit));\n",
  },
  {
    about: "an exit of one of Bun's children is taken from under Bun",
    file: "src/system/reaper.ts",
    find: "if (this.#ports.isBunChild(peeked.pid)) {",
    replace: "if (Date.now() < 0) {",
  },
  {
    about: "a half line is dropped",
    file: "src/protocol/line-decoder.ts",
    find: "else if (end === -1) this.#keep(part);",
    replace: "else if (end === -1) continue;",
  },
  {
    about: "one death too few faults the set",
    file: "src/core/restart-intensity.ts",
    find: "return history.length > intensity;",
    replace: "return history.length >= intensity;",
  },
  {
    about: "deaths are never forgotten",
    file: "src/core/restart-intensity.ts",
    find: "return history.filter((atMs) => nowMs - atMs < periodMs);",
    replace: "return history;",
  },
  {
    about: "health: a set with too few ready is called ready",
    file: "src/core/verdict.ts",
    find: '(state === "underprovisioned" && ready >= minReady)',
    replace: '(state === "underprovisioned" && ready >= 0 * minReady)',
  },
  {
    about: "a slot is used again before its worker is gone",
    file: "src/core/worker-events.ts",
    find: 'occupy(turn, set, slot, { phase: "stopping", id, pid, launchedAtMs, sinceMs: turn.nowMs, cause, killAtMs });',
    replace: "vacate(turn, set, slot); void [id, launchedAtMs, cause, killAtMs];",
  },
  {
    about: "strays of a worker's group are never killed",
    file: "src/core/strays.ts",
    find: 'for (const { pgid } of due) request(turn, { type: "signalGroup", pgid, signal: "SIGKILL" });',
    replace: "",
  },
  {
    about: "orphans that ignored TERM are not told again when it comes to KILL",
    file: "src/orphan-sweep.ts",
    find: "    this.#told.clear();\n",
    replace: "",
  },
  {
    about: "the worker's siblings are stopped for its late ack",
    file: "src/core/deadline.ts",
    find: '  recordDeath(turn, set, slot, "ack timeout");\n',
    replace:
      '  recordDeath(turn, set, slot, "ack timeout");\n  for (const other of eachWorker(turn.fleet)) if (other.worker.phase === "ready") stopWorker(turn, other.set, other.slot, other.worker, "ack timeout");\n',
  },
];
