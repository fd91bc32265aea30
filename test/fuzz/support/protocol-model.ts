/** What a line of the protocol may say, written down a second time from docs/PROTOCOL.md, for the parser to be held to. */

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isTextOrAbsent: Check = (value) => value === undefined || value === null || isText(value);
const isId: Check = (value) => typeof value === "string" && value.length >= 1 && value.length <= 128;
const isPid: Check = (value) => Number.isInteger(value) && Number(value) >= 2 && Number(value) <= 4_194_304;
const isVersion: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 1;
const isLevel: Check = (value) =>
  /^(critical|error|warning|info|debug|trace)$/.test(isText(value) ? `${value}` : "");

const spoken: Readonly<
  Record<"worker" | "preloader", Readonly<Record<string, Readonly<Record<string, Check>>>>>
> = {
  worker: {
    ack: { id: isId },
    error: { id: isId, message: isText, error: isTextOrAbsent },
  },
  preloader: {
    hello: { pid: isPid, protocol: isVersion },
    loading: { file: isText },
    ready: {},
    launched: { id: isId, pid: isPid },
    failed: { id: isId, message: isText },
    error: { message: isText, error: isTextOrAbsent },
    log: { level: isLevel, msg: isText },
  },
};

/** The line's own members if it is a message that this sender may send; else undefined. */
export function understand(line: string, sender: "worker" | "preloader"): Map<string, unknown> | undefined {
  const members = membersOf(line);
  const action = members?.get("action");
  if (members === undefined || typeof action !== "string") return undefined;
  const actions = spoken[sender];
  const checks = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (checks === undefined) return undefined;
  const isRight = Object.entries(checks).every(([key, check]) => check(members.get(key)));
  return isRight ? members : undefined;
}

function membersOf(line: string): Map<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    return new Map(Object.entries(value));
  } catch {
    return undefined;
  }
}
