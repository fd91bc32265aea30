/*
 * The step between fork and exec.
 *
 *   exec-step PARENT_PID OPEN_FILES KEEP [PROGRAM ARGV0 ARG...]
 *
 *   PARENT_PID  the supervisor's pid; the program must not start when it is no longer our parent
 *   OPEN_FILES  the soft RLIMIT_NOFILE to set (at most the hard one), or "-" to leave it alone
 *   KEEP        descriptors above 2 that stay open: ascending, disjoint ranges "FIRST-LAST,FIRST-LAST", or "-"
 *   PROGRAM     path to execute, with ARGV0 ARG... as its argument vector; without it this is a self-check:
 *               everything up to the exec is done, and the exit status is 0
 *
 * Bun.spawn offers no hook there, and some things can only be done by the child itself: ask for the parent death
 * signal, and learn the pid for LISTEN_PID. This program does them in a few microseconds, without a shell and
 * without a libc: it has to run in an image that holds nothing but kleinhirn. The supervisor carries the built
 * binary with it (see build) and executes it from memory.
 *
 * Exit status, as shells have it: 127 when PROGRAM is not there, 126 when it can't be executed or a step failed.
 * 125, without a word, when the supervisor is gone: nobody is left to read it.
 */
#include <asm/unistd.h>

enum {
  death_signal = 1, /* PR_SET_PDEATHSIG */
  sigkill = 9,
  sigstop = 19,
  signals_of_the_kernel = 64,
  set_mask = 2, /* SIG_SETMASK */
  limit_open_files = 7, /* RLIMIT_NOFILE */
  standard_error = 2,
  highest_descriptor = 0x7fffffff,
  error_no_entry = 2, /* ENOENT */
  error_no_directory = 20, /* ENOTDIR */
  error_invalid = 22, /* EINVAL */
  status_parent_gone = 125,
  status_failed = 126,
  status_not_found = 127,
};

struct limit { unsigned long soft, hard; }; /* struct rlimit */
struct piece { const char *text; unsigned long length; }; /* struct iovec */
struct disposition { unsigned long handler, flags, restorer, mask; }; /* the kernel's struct sigaction */

#if defined(__x86_64__)
/* The kernel enters with the argument count at the top of the stack (System V ABI), and no return address. */
__asm__(".globl _start\n_start:\n xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call run\n");

static long call4(long number, long a, long b, long c, long d) {
  register long fourth __asm__("r10") = d;
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth) : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n mov x29, #0\n mov x30, #0\n mov x0, sp\n bl run\n");

static long call4(long number, long a, long b, long c, long d) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}
#else
#error "exec-step knows x86_64 and aarch64"
#endif

static _Noreturn void leave(int status) {
  for (;;) call4(__NR_exit_group, status, 0, 0, 0);
}

static unsigned count_digits(unsigned long value) {
  unsigned digits = 1;
  while (value /= 10) digits++;
  return digits;
}

/* The caller has made sure that there is room for the digits and the final NUL. */
static void write_decimal(char *target, unsigned long value) {
  char *end = target + count_digits(value);
  *end = 0;
  do *--end = '0' + value % 10;
  while (value /= 10);
}

static const char *explain(long error) {
  switch (error) {
    case 1: return "EPERM, operation not permitted";
    case 2: return "ENOENT, no such file, or its interpreter is missing";
    case 5: return "EIO, input/output error";
    case 7: return "E2BIG, arguments and environment are too long";
    case 8: return "ENOEXEC, neither a binary for this machine nor a script that begins with #!";
    case 12: return "ENOMEM, not enough memory";
    case 13: return "EACCES, permission denied";
    case 20: return "ENOTDIR, a part of the path is not a directory";
    case 22: return "EINVAL, invalid argument";
    case 23: return "ENFILE, the system has too many open files";
    case 26: return "ETXTBSY, the file is open for writing";
    case 36: return "ENAMETOOLONG, the path is too long";
    case 40: return "ELOOP, too many symbolic links";
    default: return 0;
  }
}

static struct piece piece_of(const char *text) {
  struct piece piece = {text, 0};
  while (text[piece.length]) piece.length++;
  return piece;
}

/* One writev for the whole line, so that the messages of several workers don't run into each other. */
static _Noreturn void fail(const char *what, const char *subject, long error) {
  char number[24];
  const char *explanation = explain(error);
  if (!explanation) write_decimal(number, error);
  struct piece message[] = {
    piece_of("kleinhirn: "), piece_of(what), piece_of(subject), piece_of(explanation ? ": " : ": errno "),
    piece_of(explanation ? explanation : number), piece_of("\n"),
  };
  call4(__NR_writev, standard_error, (long)message, sizeof message / sizeof *message, 0);
  leave(error == error_no_entry || error == error_no_directory ? status_not_found : status_failed);
}

/* Reads a decimal number and leaves *text behind it; the supervisor wrote it, so anything else is not expected. */
static unsigned long read_decimal(const char **text) {
  unsigned long value = 0;
  while (**text >= '0' && **text <= '9') value = value * 10 + (*(*text)++ - '0');
  return value;
}

/*
 * Ask first, look second: had the supervisor died between fork and prctl, no signal would ever come, and our parent
 * would by now be another process (prctl(2), PR_SET_PDEATHSIG).
 */
static void tie_to_parent(const char *parent) {
  call4(__NR_prctl, death_signal, sigkill, 0, 0);
  if (call4(__NR_getppid, 0, 0, 0, 0) != (long)read_decimal(&parent)) leave(status_parent_gone);
}

/* An ignored signal stays ignored over exec, and so does a blocked one; only handlers are undone (execve(2)). */
static void reset_signals(void) {
  struct disposition standard = {0, 0, 0, 0};
  unsigned long none = 0;
  for (int signal = 1; signal <= signals_of_the_kernel; signal++) {
    if (signal == sigkill || signal == sigstop) continue;
    call4(__NR_rt_sigaction, signal, (long)&standard, 0, sizeof standard.mask);
  }
  call4(__NR_rt_sigprocmask, set_mask, (long)&none, 0, sizeof none);
}

static void limit_descriptors(const char *wanted) {
  struct limit limit;
  if (*wanted == '-') return;
  long result = call4(__NR_prlimit64, 0, limit_open_files, 0, (long)&limit);
  if (result < 0) fail("cannot read the limit of open files", "", -result);
  unsigned long soft = read_decimal(&wanted);
  limit.soft = soft < limit.hard ? soft : limit.hard;
  result = call4(__NR_prlimit64, 0, limit_open_files, (long)&limit, 0);
  if (result < 0) fail("cannot set the limit of open files", "", -result);
}

/*
 * Before Linux 5.9 there is no close_range, and seccomp profiles of that time deny it. Gaps between kept descriptors are then closed one by one; what is above
 * the last of them was already marked close-on-exec by Bun.spawn.
 */
static void close_descriptors(unsigned first, unsigned last) {
  if (first > last) return;
  if (call4(__NR_close_range, first, last, 0, 0) == 0 || last == highest_descriptor) return;
  for (unsigned descriptor = first; descriptor <= last; descriptor++) call4(__NR_close, descriptor, 0, 0, 0);
}

static void close_all_but(const char *keep) {
  unsigned next = 3;
  while (*keep >= '0' && *keep <= '9') {
    unsigned first = read_decimal(&keep);
    if (*keep == '-') keep++;
    unsigned last = read_decimal(&keep);
    if (*keep == ',') keep++;
    close_descriptors(next, first - 1);
    next = last + 1;
  }
  close_descriptors(next, highest_descriptor);
}

/* sd_listen_fds(3): sockets are only for the process whose pid is in LISTEN_PID. The supervisor left room for it. */
static void announce_pid(char **environment) {
  static const char name[] = "LISTEN_PID=";
  for (; *environment; environment++) {
    char *value = *environment;
    const char *expected = name;
    while (*expected && *value == *expected) value++, expected++;
    if (*expected) continue;
    unsigned long room = 0, pid = call4(__NR_getpid, 0, 0, 0, 0);
    while (value[room]) room++;
    if (room < count_digits(pid)) fail("no room for the pid in ", name, error_invalid);
    write_decimal(value, pid);
  }
}

_Noreturn __attribute__((used)) void run(long *stack) {
  long count = stack[0];
  char **arguments = (char **)(stack + 1);
  char **environment = arguments + count + 1;
  if (count < 4 || count == 5) fail("usage: exec-step PARENT_PID OPEN_FILES KEEP [PROGRAM ARGV0 ARG...]", "", error_invalid);
  tie_to_parent(arguments[1]);
  reset_signals();
  limit_descriptors(arguments[2]);
  close_all_but(arguments[3]);
  announce_pid(environment);
  if (count == 4) leave(0);
  long error = -call4(__NR_execve, (long)arguments[4], (long)(arguments + 5), (long)environment, 0);
  fail("cannot execute ", arguments[4], error);
}
