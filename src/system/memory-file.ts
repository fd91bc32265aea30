import { closeSync, writeSync } from "node:fs";
import { addressOf, fcntl, syscall } from "./libc.ts";
import { OperatingSystemError } from "./operating-system-error.ts";

const closeOnExec = 1; // MFD_CLOEXEC
const allowSealing = 2; // MFD_ALLOW_SEALING
const executable = 0x10; // MFD_EXEC, Linux 6.3
const addSeals = 1033; // F_ADD_SEALS
const everySeal = 1 | 2 | 4 | 8; // F_SEAL_SEAL, _SHRINK, _GROW, _WRITE

/**
 * A file that exists in memory only, has these bytes for ever, and may be executed; the descriptor closes on exec.
 * Throws an `OperatingSystemError` (`ENOSYS`, `EPERM`, `EACCES` by sysctl vm.memfd_noexec…).
 */
export function createMemoryFile(name: string, content: Uint8Array): number {
  const descriptor = create(name);
  try {
    for (let written = 0; written < content.length; ) {
      written += writeSync(descriptor, content, written, content.length - written);
    }
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  // Not needed for anything to work, so a kernel that doesn't seal is fine.
  fcntl(descriptor, addSeals, everySeal);
  return descriptor;
}

function create(name: string): number {
  const flags = closeOnExec | allowSealing;
  const terminated = Buffer.from(`${name}\0`);
  // Since 6.3 a file is executable only when asked to be (sysctl vm.memfd_noexec); before, the flag is unknown.
  let answer = syscall(memfdCreateNumber(), addressOf(terminated), flags | executable, 0);
  if (!answer.ok && answer.code === "EINVAL") {
    answer = syscall(memfdCreateNumber(), addressOf(terminated), flags, 0);
  }
  if (!answer.ok) throw new OperatingSystemError(answer.code, "memfd_create", "");
  return answer.value;
}

function memfdCreateNumber(): number {
  switch (process.arch) {
    case "x64":
      return 319;
    case "arm64":
      return 279;
    default:
      throw new OperatingSystemError("ENOSYS", "memfd_create", `unknown architecture ${process.arch}`);
  }
}
