import { dlopen, type Pointer, ptr, read } from "bun:ffi";
import { errnoName, OperatingSystemError } from "./operating-system-error.ts";

/**
 * The C library, opened once, and the only place that knows its calling conventions. What is offered here is numbers
 * in, numbers out; the modules beside this one give it meaning.
 *
 * The variadic functions (fcntl, prctl, syscall) may be declared like any other: on x86-64 and AArch64 Linux integer
 * arguments are passed in the same registers either way.
 */
const functions = {
  __errno_location: { args: [], returns: "ptr" },
  execve: { args: ["cstring", "ptr", "ptr"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i64"], returns: "i32" },
  flock: { args: ["i32", "i32"], returns: "i32" },
  getpgid: { args: ["i32"], returns: "i32" },
  getppid: { args: [], returns: "i32" },
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  isatty: { args: ["i32"], returns: "i32" },
  kill: { args: ["i32", "i32"], returns: "i32" },
  prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
  prlimit: { args: ["i32", "i32", "ptr", "ptr"], returns: "i32" },
  signal: { args: ["i32", "u64"], returns: "u64" },
  sigprocmask: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  syscall: { args: ["i64", "i64", "i64", "i64"], returns: "i64" },
  waitid: { args: ["i32", "i32", "ptr", "i32"], returns: "i32" },
} as const;

/** glibc has one name everywhere; musl carries the architecture in the name of its loader, which is the library too. */
const libraryNames: readonly string[] = [
  "libc.so.6",
  `ld-musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`,
  `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`,
];

type Library = ReturnType<typeof openLibrary>;
let library: Library | undefined;

function openLibrary() {
  const failures: unknown[] = [];
  for (const name of libraryNames) {
    try {
      const { symbols } = dlopen(name, functions);
      return { symbols, errnoLocation: requirePointer(symbols.__errno_location()) };
    } catch (error) {
      failures.push(error);
    }
  }
  const cause = new AggregateError(failures);
  throw new OperatingSystemError("ENOENT", "dlopen", `no C library among ${libraryNames.join(", ")}`, {
    cause,
  });
}

function requirePointer(value: Pointer | bigint | null): Pointer {
  if (typeof value !== "number") throw new TypeError("__errno_location gave no address");
  return value;
}

function opened(): Library {
  library ??= openLibrary();
  return library;
}

/** What a system call answered: a value of 0 or more, or the name of its error. */
export type Answer =
  | { readonly ok: true; readonly value: number }
  | { readonly ok: false; readonly code: string };

/**
 * Nothing may stand between the call and this: errno is the thread's, and the next failing call of anybody's, Bun's
 * own included, overwrites it. Reading it needs no system call and allocates nothing.
 */
function answer({ errnoLocation }: Library, result: number | bigint): Answer {
  if (Number(result) >= 0) return { ok: true, value: Number(result) };
  return { ok: false, code: errnoName(read.i32(errnoLocation, 0)) };
}

/** The value of an answer, or the error thrown; `detail` says in words what can't be done now. */
export function expectAnswer(result: Answer, syscall: string, detail: string): number {
  if (result.ok) return result.value;
  throw new OperatingSystemError(result.code, syscall, detail);
}

export function fcntl(descriptor: number, command: number, argument: number): Answer {
  const libc = opened();
  return answer(libc, libc.symbols.fcntl(descriptor, command, argument));
}

export function flock(descriptor: number, operation: number): Answer {
  const libc = opened();
  return answer(libc, libc.symbols.flock(descriptor, operation));
}

export function getpgid(pid: number): Answer {
  const libc = opened();
  return answer(libc, libc.symbols.getpgid(pid));
}

/** getppid(2) can't fail. `process.ppid` may be remembered from earlier; this asks. */
export function getppid(): number {
  return opened().symbols.getppid();
}

/** `value` is filled in; an option shorter than it is an error of ours. */
export function getsockopt(descriptor: number, level: number, option: number, value: Int32Array): Answer {
  const libc = opened();
  const length = new Uint32Array([value.byteLength]);
  return answer(libc, libc.symbols.getsockopt(descriptor, level, option, value, length));
}

/** isatty(3) says 1 or, with whatever reason in errno, 0. */
export function isatty(descriptor: number): boolean {
  return opened().symbols.isatty(descriptor) === 1;
}

/** kill(2) as it is, with all its special pids; `signalProcess` has the guards. */
export function kill(pid: number, signal: number): Answer {
  const libc = opened();
  return answer(libc, libc.symbols.kill(pid, signal));
}

export function prctl(option: number, argument: number): Answer {
  const libc = opened();
  return answer(libc, libc.symbols.prctl(option, argument, 0, 0, 0));
}

/** prlimit(2) on ourselves: sets `wanted` (soft, hard) where there is one, and gives back what was set before. */
export function prlimit(
  resource: number,
  wanted: BigUint64Array | null,
): { answer: Answer; before: BigUint64Array } {
  const libc = opened();
  const before = new BigUint64Array(2);
  return { answer: answer(libc, libc.symbols.prlimit(0, resource, wanted, before)), before };
}

/** Gives back the default disposition of a signal: `SIG_DFL` is the null pointer. */
export function resetSignal(signal: number): void {
  opened().symbols.signal(signal, 0);
}

/** Empties the signal mask of the calling thread. `sigset_t` is 128 bytes in glibc and in musl. */
export function clearSignalMask(): Answer {
  const setMask = 2;
  const libc = opened();
  return answer(libc, libc.symbols.sigprocmask(setMask, new Uint8Array(128), null));
}

/** A system call that has no function in every C library yet; `number` must be right for the architecture. */
export function syscall(number: number, first: number, second: number, third: number): Answer {
  const libc = opened();
  return answer(libc, libc.symbols.syscall(number, first, second, third));
}

/** The address of a buffer's first byte; good only while the caller holds on to the buffer. */
export function addressOf(buffer: NodeJS.TypedArray): number {
  return ptr(buffer);
}

/** `information` is a `siginfo_t`: 128 bytes, filled in. */
export function waitid(idType: number, id: number, information: Uint8Array, options: number): Answer {
  const libc = opened();
  return answer(libc, libc.symbols.waitid(idType, id, information, options));
}

/** Replaces this process. Only ever returns with an error. */
export function execve(path: string, argv: readonly string[], environment: readonly string[]): Answer {
  const libc = opened();
  // The buffers are named so that they live until the call, which sees nothing of them but addresses.
  const words = encodeStrings(argv);
  const variables = encodeStrings(environment);
  return answer(libc, libc.symbols.execve(path, words.pointers, variables.pointers));
}

/** A `char *[]` that ends with a null pointer, and the buffers that it points into. */
function encodeStrings(strings: readonly string[]) {
  const buffers = strings.map((text) => Buffer.from(`${text}\0`));
  const pointers = new BigUint64Array(buffers.length + 1);
  for (const [index, buffer] of buffers.entries()) pointers[index] = BigInt(ptr(buffer));
  return { buffers, pointers };
}
