import type { Peeked, Waiter } from "../../../src/system/wait.ts";
import { hold } from "../violation.ts";
import type { Kernel } from "./kernel.ts";
import type { Process } from "./process.ts";

/** In one turn; there are far fewer processes. */
const mostLooks = 1000;

/** waitid(2) of the supervisor. It throws when a child of Bun's is taken: Bun would wait for it in vain. */
export function createWaiter(kernel: Kernel, onReaped: (process: Process) => void): Waiter {
  const child = (pid: number) => {
    const found = kernel.at(pid);
    return found?.parent === kernel.supervisor ? found : undefined;
  };
  return {
    peekAny: () => {
      kernel.looks += 1;
      hold(kernel.looks < mostLooks, "a look for exits comes to an end");
      return peekAny(kernel);
    },
    peekPid: (pid) => look(child(pid)),
    reapPid: (pid) => {
      const found = child(pid);
      const exit = look(found);
      if (found?.exit === undefined) return exit;
      hold(!found.isBuns, "nobody but Bun reaps Bun's children", () => found.name);
      kernel.bury(found);
      onReaped(found);
      return exit;
    },
  };
}

function peekAny(kernel: Kernel): Peeked {
  const { children } = kernel.supervisor;
  if (children.size === 0) return { kind: "no-children" };
  for (const { pid, exit } of children) if (exit !== undefined) return { kind: "exited", pid, exit };
  return { kind: "none" };
}

function look(child: Process | undefined) {
  return child === undefined ? "not-a-child" : (child.exit ?? "running");
}
