import { readFileSync } from "node:fs";

/** The text of a file of the kernel's, or undefined where it can't be read; a parameter so that a test can show another machine's. */
export type ReadText = (path: string) => string | undefined;

/** Our own group: `group` is its path below `point`, where the hierarchy is mounted; `/` is the highest that can be seen. */
export type OwnGroup = { readonly point: string; readonly group: string };

/**
 * Where our cgroup of one hierarchy is to be found (cgroups(7)).
 *
 * @param type of the file system: `cgroup2`, or `cgroup` for version 1.
 * @param controller for version 1, which has a hierarchy for each; empty for version 2.
 */
export function findOwnGroup(
  read: ReadText,
  type: "cgroup2" | "cgroup",
  controller: string,
): OwnGroup | undefined {
  const mount = findMount(read, type, controller);
  const group = readOwnPath(read, controller);
  if (mount === undefined || group === undefined) return undefined;
  return { point: mount.point, group: withinMount(group, mount.root) };
}

export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Every failure means the same here: nothing that we could know of.
    return undefined;
  }
}

/** cgroups(7): lines of `ID:CONTROLLER,CONTROLLER:PATH`; v2 is the one without controllers. */
function readOwnPath(read: ReadText, controller: string): string | undefined {
  for (const line of read("/proc/self/cgroup")?.split("\n") ?? []) {
    const [, controllers, ...path] = line.split(":");
    if (controllers?.split(",").includes(controller)) return path.join(":");
  }
  return undefined;
}

/**
 * proc_pid_mountinfo(5): `… ROOT POINT OPTIONS… - TYPE SOURCE SUPEROPTIONS`; for v1 the controllers are among the
 * last.
 */
function findMount(read: ReadText, type: string, controller: string) {
  for (const line of read("/proc/self/mountinfo")?.split("\n") ?? []) {
    const [mounted = "", file = ""] = line.split(" - ");
    const [, , , root, point] = mounted.split(" ");
    const [fileType, , options = ""] = file.split(" ");
    if (fileType !== type || root === undefined || point === undefined) continue;
    if (controller === "" || options.split(",").includes(controller)) return { root, point };
  }
  return undefined;
}

/**
 * Without a cgroup namespace a container sees its full path (`/docker/ID`), but only that folder is mounted, as the
 * root. What is outside of the mount (`/..` in a namespace) can't be read: then the mount's own folder is the best we
 * know.
 */
function withinMount(group: string, root: string): string {
  if (group.includes("/..") || root.includes("/..")) return "/";
  if (root === "/") return group;
  return group.startsWith(`${root}/`) ? group.slice(root.length) : "/";
}
