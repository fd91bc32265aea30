/**
 * The workers write CLOCK_MONOTONIC, and the harness has to say on the same clock when it started or killed something.
 * Bun's own clocks count from the start of its process, so the difference is measured once: a Ruby process answers each
 * byte with its clock, and the answer that came back soonest is believed. Its round trip bounds the error.
 */

const exchanges = 300;

export type Clock = {
  /** Nanoseconds of CLOCK_MONOTONIC. */
  readonly now: () => number;
  /** Nanoseconds that `now` may be off by. */
  readonly error: number;
};

const answerer =
  '$stdin.sync = $stdout.sync = true; while $stdin.read(1); \
$stdout.syswrite("#{Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)}\\n"); end';

export async function calibrateClock(): Promise<Clock> {
  const ruby = Bun.spawn(["ruby", "--disable-gems", "-e", answerer], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const answers = ruby.stdout.getReader();
  let best = { roundTrip: Number.POSITIVE_INFINITY, offset: 0 };
  for (let exchange = 0; exchange < exchanges; exchange += 1) {
    const asked = Bun.nanoseconds();
    ruby.stdin.write("?");
    ruby.stdin.flush();
    const { value } = await answers.read();
    const answered = Bun.nanoseconds();
    const roundTrip = answered - asked;
    // An answer of about twenty digits comes in one piece.
    const theirs = Number(new TextDecoder().decode(value));
    if (roundTrip < best.roundTrip) best = { roundTrip, offset: theirs - (asked + answered) / 2 };
  }
  ruby.stdin.end();
  await ruby.exited;
  return { now: () => Bun.nanoseconds() + best.offset, error: best.roundTrip / 2 };
}
