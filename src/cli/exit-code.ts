/** What kleinhirn exits with (specification section 1); from 64 on, the meanings and numbers are those of sysexits.h. */

/** A graceful stop, however many workers had to be killed. For `ack`: acked; for `health`: healthy. */
export const exitOk = 0;

/** A worker set faulted and `on_fault = "exit"`. For `ack`: refused, or no supervisor; for `health`: unhealthy, or no answer. */
export const exitFailed = 1;

/** EX_USAGE: the command line is wrong, or `ack` was not called from a worker. */
export const exitUsage = 64;

/** EX_NOINPUT: there is no such configuration file. */
export const exitNoInput = 66;

/** EX_UNAVAILABLE: a socket or port that is needed is taken or may not be opened. */
export const exitUnavailable = 69;

/** EX_SOFTWARE: kleinhirn itself is at fault. */
export const exitInternal = 70;

/** EX_OSERR: the operating system refused something that there is no doing without. */
export const exitOsRefused = 71;

/** EX_CONFIG: the configuration is invalid. */
export const exitConfig = 78;
