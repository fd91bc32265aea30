import type { CommandDef } from "citty";
import { type CommandName, commands, root } from "./definitions.ts";

const supervisorStatuses = `  0   stopped gracefully
  1   a worker set faulted and on_fault is "exit"
  64  the command line is wrong
  66  there is no such configuration file
  69  a socket or port that is needed is taken or may not be opened
  70  internal error
  71  the operating system refused something that there is no doing without
  78  the configuration is invalid`;

const runExamples = `  kleinhirn -f /etc/shop/kleinhirn.toml
  kleinhirn run -n 4 --name shop -- bin/worker --verbose`;

type Epilogue = { readonly statuses: string; readonly examples: string };

const epilogues: Readonly<Record<CommandName, Epilogue>> = {
  run: { statuses: supervisorStatuses, examples: runExamples },
  check: {
    statuses: `  0   the configuration is valid
  64  the command line is wrong
  66  there is no such configuration file
  78  the configuration is invalid`,
    examples: "  kleinhirn check -f /etc/shop/kleinhirn.toml",
  },
  ack: {
    statuses: `  0   the supervisor counts the worker as ready
  1   it refused, or there is no supervisor
  64  not called from a worker`,
    examples: `  #!/bin/sh
  bin/warm-caches && kleinhirn ack && exec bin/work`,
  },
  health: {
    statuses: `  0   healthy
  1   unhealthy, or no answer within 5 seconds
  64  the command line is wrong`,
    examples: `  HEALTHCHECK CMD ["kleinhirn", "health"]
  kleinhirn health --url http://127.0.0.1:3000/readyz
  kleinhirn health --url unix:/run/shop/health.sock:/livez`,
  },
};

/** The help of one command, or of kleinhirn as a whole, ready to be printed. */
export async function renderHelp(topic: CommandName | undefined, color: boolean): Promise<string> {
  // Only who asks for help pays for loading citty.
  const { renderUsage } = await import("citty");
  const command: CommandDef = topic === undefined ? root : commands[topic];
  const usage = await renderUsage(command, topic === undefined ? undefined : root);
  const { statuses, examples } = epilogues[topic ?? "run"];
  // citty asks the environment whether to colour, but not whether a person or a pipe will see it.
  const shown = color ? usage : Bun.stripANSI(usage);
  // It fills its columns up with spaces, the last one too.
  const trimmed = shown.replace(/ +$/gm, "").trimEnd();
  return `${trimmed}\n\nEXAMPLES\n\n${examples}\n\nEXIT STATUS\n\n${statuses}\n`;
}
