/** A fleet whose workers misbehave as the seed says, while there is no file `calm`. */
import type { StartOptions } from "../../helpers/running.ts";
import { ackByDescriptor, supervisor } from "../../helpers/settings.ts";
import { application, programSet, rubySet } from "../fleet.ts";

export const counts: Readonly<Record<string, number>> = { exec: 4, plain: 2, web: 3, jobs: 2 };
export const programs: readonly string[] = ["exec", "plain"];

/** The exit status of a worker that ends by itself; nothing else ends with it. */
export const ownStatus = 7;

const delays = 'intensity = 1000000, backoff = "10ms", backoff_max = "50ms"';
const times = 'ack_timeout = "1s"\nstop_timeout = "500ms"\nlaunch_timeout = "3s"';

/**
 * What is in store for the worker with this number, a twelfth each: it serves (0 to 3), acks and exits, exits, acks too late,
 * never acks, leaves orphans, fills the output, leaves a stray and a daemon, ignores TERM.
 */
const drawFate = (number: string, seed: string) => `(${number} * 2654435761 + ${seed} * 40503) / 8192 % 12`;

/** Of its id, what comes after the dash. */
const shellNumber = `\${KLEINHIRN_WORKER_ID##*-}`;

const leaveStrays = "sleep 1001 & DAEMON=1 setsid sleep 1002 &";

const exec = `
  fate=$(( ${drawFate(shellNumber, "SEED")} ))
  [ -e calm ] && fate=0
  case $fate in
    4) ${ackByDescriptor}; exit ${ownStatus} ;;
    5) exit ${ownStatus} ;;
    6) sleep 1.5; ${ackByDescriptor} ;;
    7) ;;
    8) for i in 1 2 3 4 5 6; do ( ( sleep 0.0$i; exit 3 ) & ); done; ${ackByDescriptor} ;;
    9) ${ackByDescriptor}; head -c 300000 /dev/zero ;;
    10) [ -e daemon ] || { ${leaveStrays} touch daemon; }; ${ackByDescriptor} ;;
    11) trap "" TERM; ${ackByDescriptor} ;;
    *) ${ackByDescriptor} ;;
  esac
  exec sleep 1000
`;

const plain = `
  fate=$(( ${drawFate(shellNumber, "SEED")} ))
  [ -e calm ] || [ $fate -gt 3 ] || { sleep 0.0$fate; exit ${ownStatus}; }
  exec sleep 1000
`;

/** Orphans and the like must not bear the title of the worker that they come from. */
const ruby = `
  number = Integer(KleinhirnLoader.worker.id[/\\d+\\z/])
  fate = File.exist?("calm") ? 0 : ${drawFate("number", 'Integer(ENV.fetch("SEED"))')}
  case fate
  when 4 then KleinhirnLoader.ack; exit!(${ownStatus})
  when 5 then exit!(${ownStatus})
  when 6 then sleep 1.5; KleinhirnLoader.ack
  when 7 then nil
  when 8
    6.times { |n| Process.wait(fork { $0 = "between"; fork { $0 = "orphan"; sleep(n / 100.0); exit!(3) }; exit!(0) }) }
    KleinhirnLoader.ack
  when 9 then KleinhirnLoader.ack; $stdout.write("x" * 300_000); $stdout.flush
  when 10
    unless File.exist?("ruby-daemon")
      File.write("ruby-daemon", "")
      spawn("sleep", "1001")
      spawn("sleep", "1002", pgroup: true)
    end
    KleinhirnLoader.ack
  when 11 then trap("TERM", "IGNORE"); KleinhirnLoader.ack
  else KleinhirnLoader.ack
  end
  sleep
`;

/** Some forks take their time, so that there is a process in the middle to be hit. */
const slowForks = `
  module SlowFork
    def _fork
      pid = super
      sleep(Random.new(Process.pid).rand * 0.03) if pid.zero? && (Process.pid % 3).zero?
      pid
    end
  end
  Process.singleton_class.prepend(SlowFork)
`;

/** Programs remember all their deaths; preloaders forget theirs, of which six would be too many. */
export const fleet = `${supervisor('shutdown_timeout = "8s"')}
  ${programSet("exec", exec, `count = ${counts.exec}\nack = "message"\n${times}\nrestart = { ${delays}, period = "1h" }`)}
  ${programSet("plain", plain, `count = ${counts.plain}\n${times.replace(/^ack_timeout.*\n/, "")}\nrestart = { ${delays}, period = "1h" }`)}
  ${rubySet("web", ruby, `count = ${counts.web}\n${times}\nrestart = { ${delays}, period = "1s" }`)}
  ${rubySet("jobs", ruby, `count = ${counts.jobs}\n${times}\nrestart = { ${delays}, period = "1s" }`)}`;

/** Log and output each go to a reader of their own, no children of the supervisor's, that can be stopped and killed. */
export function startOptions(seed: number): StartOptions {
  const readers = [
    "mkfifo log out",
    "( cat < log >&2 & echo $! > log-reader )",
    "( cat < out > /dev/null & echo $! > out-reader )",
    'exec "$@" 2> log > out',
  ];
  return {
    files: { ...application(slowForks), calm: "" },
    env: { SEED: String(seed) },
    wrapper: ["sh", "-c", readers.join("; "), "sh"],
  };
}
