/** Calls back once, `delayMs` from now or later; what it returns takes that back. A port: a simulation has its own time. */
export type SetTimer = (callback: () => void, delayMs: number) => () => void;
