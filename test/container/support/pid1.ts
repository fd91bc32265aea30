/** kleinhirn as PID 1 of a pid namespace: a container for most purposes, with no engine. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { childrenOf } from "../../helpers/processes.ts";
import type { Running, StartOptions } from "../../helpers/running.ts";

export type User = { readonly name: string; readonly uid: number };

export const root: User = { name: "root", uid: 0 };
export const users: readonly User[] = [root, { name: "user 65532", uid: 65532 }];

const namespaces = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];

/** Why there can be no such container here; undefined: there can. */
export function whyNoNamespaces(): string | undefined {
  if (process.getuid?.() !== 0) return "only root may make a pid namespace";
  const tried = Bun.spawnSync([...namespaces, "--setuid", "65532", "true"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  return tried.exitCode === 0 ? undefined : `no pid namespace: ${tried.stderr.toString().trim()}`;
}

/** The command that makes what follows PID 1, as that user. */
export function inNamespace({ uid }: User): readonly string[] {
  const identity = uid === 0 ? [] : ["--setuid", String(uid), "--setgid", String(uid)];
  return [...namespaces, ...identity];
}

/** What `Running` is to start; the test's folder becomes the user's own. */
export function asPid1(binary: string, user: User, args?: readonly string[]): StartOptions {
  const own = ["sh", "-c", `chown -R ${user.uid}:${user.uid} "$0" && exec "$@"`, "@FOLDER@"];
  return {
    wrapper: [...own, ...inNamespace(user)],
    program: (file) => [binary, ...(args ?? ["run", "-f", file])],
  };
}

/** Its pid as we see it, when it is kleinhirn and no longer the step before it. */
export async function findPid1(running: Running): Promise<number> {
  await running.waitFor("supervisor started");
  const [pid = 0] = childrenOf(running.pid);
  const inside = /^NSpid:.*\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  if (inside !== "1") throw new Error(`process ${pid} is ${inside} in its namespace`);
  return pid;
}

/** Names the namespace of a process, so that its processes can be found when that one is gone. */
export function namespaceOf(pid: number): string {
  return readlinkSync(`/proc/${pid}/ns/pid`);
}

/** All processes of a namespace, zombies too. */
export function processesIn(namespace: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isIn(pid, namespace));
}

function isIn(pid: number, namespace: string): boolean {
  try {
    return namespaceOf(pid) === namespace;
  } catch {
    return false; // It ended between the two looks.
  }
}
