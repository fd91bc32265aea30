/** `kleinhirn run`: from a valid configuration to the exit status of a stopped supervisor. */
import { supervise } from "../compose.ts";
import type { Config } from "../config/config.ts";
import { errorText } from "../logging/error-text.ts";
import { createLogger, type Logger } from "../logging/logger.ts";
import { wantsColor } from "../logging/pretty.ts";
import { createSink, type Sink } from "../logging/sink.ts";
import { StartError } from "../start-error.ts";
import { wallClock } from "../system/clock.ts";
import { OperatingSystemError } from "../system/operating-system-error.ts";
import { checkRequirements } from "../system/requirements.ts";
import type { SignalSource } from "../system/signals.ts";
import { becomeSubreaper } from "../system/subreaper.ts";
import { isTerminal } from "../system/terminal.ts";
import { exitInternal, exitOsRefused, exitUnavailable } from "./exit-code.ts";

/** A log reader that takes nothing doesn't hold the exit for longer; one that is slow, ten times as long. */
const flushStallMs = 1000;

/** Resolves to the exit status; everything that was logged has been written then, as far as there is a reader. */
export async function runSupervisor(config: Config, signals: SignalSource): Promise<number> {
  const fd = config.log.output === "stderr" ? 2 : 1;
  const sink = createSink({ fd });
  const logger = openLog(config, sink, fd);
  dieLoudly(logger, sink);
  const code = await start(config, signals, logger);
  await sink.flush(flushStallMs);
  return code;
}

async function start(config: Config, signals: SignalSource, logger: Logger): Promise<number> {
  try {
    checkRequirements();
    becomeSubreaper();
    const log = logger.log;
    return await supervise(config, { environment: process.env, signals, log });
  } catch (error) {
    const code = exitCodeOf(error);
    if (code === undefined) throw error;
    const fields = { reason: (error as Error).message, exit_status: code };
    logger.log({ level: "critical", message: "can't start", fields });
    return code;
  }
}

/** undefined: our own mistake, which is to be seen with its stack. */
function exitCodeOf(error: unknown): number | undefined {
  if (error instanceof StartError) return error.kind === "unavailable" ? exitUnavailable : exitOsRefused;
  return error instanceof OperatingSystemError ? exitOsRefused : undefined;
}

function openLog(config: Config, sink: Sink, fd: number): Logger {
  const isOnTerminal = isTerminal(fd);
  return createLogger({
    config: config.log,
    service: config.supervisor.name,
    sink,
    isTerminal: isOnTerminal,
    color: wantsColor(process.env, isOnTerminal),
    now: wallClock,
  });
}

/**
 * A mistake of ours must not leave half a supervisor behind: say what it was, and die. The kernel then kills workers and
 * preloaders (parent death signal).
 */
function dieLoudly(logger: Logger, sink: Sink): void {
  const die = (error: unknown) => {
    const fields = { error: errorText(error), exit_status: exitInternal };
    logger.log({ level: "critical", message: "internal error", fields });
    sink.flushNow();
    process.exit(exitInternal);
  };
  process.on("uncaughtException", die);
  process.on("unhandledRejection", die);
}
