/** The beginning of docs/states.md: what no table can say. */
export const introduction = `# States and events

What the pure core (\`src/core\`) makes of every event in every state. **This file is generated** from the data in
\`test/core/table\`, and each row of it is a test that runs the real transition; to change it, change the data, then run
\`bun test/core/table/render.ts\`.

## How to read it

- A **state** is brought about by real events only, never by writing a state down. Where one phase has two pasts that
  matter (a worker that is stopping because its ack timed out, or because of a stop) it has two states here.
- An **event** is a fact that a shell reports: \`workerExited\`, \`stopRequested\`… \`deadlineReached\` says that the time has
  come that \`nextDeadline\` named; it may be early or late.
- **Next** is the phase afterwards. An event often brings about more than one step, because the core goes as far as it
  can at once: a worker that dies for the first time is replaced in the same transition, so after \`ready\` comes
  \`requested\`, which is the next worker's.
- **Effects** are what the core asks for, in this order. \`TERM to process 201\` is a signal to one process, \`… to group
  201\` to its process group; \`info: worker ready\` is an event in the log. What an effect brings about comes back as an event.
- **Deaths** is how many were counted towards the intensity.
- An event that is **ignored** leaves the state as it is and asks for nothing; the reason stands beside it. In the
  overview that begins each part, which has only the next phases, it is a dot.
- Process 201 is the first worker, 202 the second…; 101 is the first generation of the preloader, 102 the second.

## A worker

\`\`\`mermaid
stateDiagram-v2
  [*] --> vacant
  vacant --> requested : preloader and max_starting allow
  requested --> launched : workerLaunched
  requested --> abandoned : launch_timeout, stop
  requested --> backingOff : death
  launched --> ready : workerAcked, or no ack is needed
  launched --> stopping : ack_timeout, stop
  launched --> backingOff : death
  ready --> stopping : stop
  ready --> backingOff : death
  abandoned --> stopping : workerLaunched, too late
  abandoned --> backingOff : failed, exited, withdrawn
  stopping --> killed : stop_timeout
  stopping --> backingOff : workerExited
  killed --> backingOff : workerExited
  backingOff --> vacant : delay over
\`\`\`

\`backingOff\` is passed through at once when there is nothing to wait for: after a slot's first death, and after an exit
that was asked for. KILL for everything, and \`shutdown_timeout\`, lead to \`killed\` from every phase that has a process.

## A preloader

\`\`\`mermaid
stateDiagram-v2
  [*] --> waiting
  waiting --> requested : start, delay over
  requested --> loading : preloaderLaunched
  requested --> waiting : failed, exited
  loading --> ready : preloaderReady
  loading --> stopping : load_timeout, connection lost, stop
  ready --> stopping : launch_timeout, connection lost, stop
  loading --> gone : preloaderGone
  ready --> gone : preloaderGone
  stopping --> killed : grace period over
  stopping --> gone : preloaderGone
  killed --> gone : preloaderGone
  gone --> waiting : preloaderExited
  waiting --> retired : no set wants it, stop
  gone --> retired : preloaderExited, in a stop
\`\`\`

## The supervisor

\`\`\`mermaid
stateDiagram-v2
  [*] --> idle
  idle --> serving : started
  serving --> draining : TERM, INT, a fault if on_fault says exit
  idle --> draining : TERM, INT
  draining --> stoppingWorkers : drain_delay over, or no worker left
  stoppingWorkers --> stoppingPreloaders : last worker gone
  stoppingPreloaders --> sweepingOrphans : last preloader gone
  sweepingOrphans --> stopped : childrenGone
  draining --> killing
  stoppingWorkers --> killing : second TERM or INT, QUIT, shutdown_timeout
  stoppingPreloaders --> killing
  sweepingOrphans --> killing
  killing --> stopped : everybody gone, or given up after a second
  stopped --> [*] : exit
\`\`\`
`;
