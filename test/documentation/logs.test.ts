/** docs/LOGS.md against the source: every event is in the one as it is in the other. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { listRepositoryFiles, repositoryRoot } from "../../script/lib/repository-files.ts";
import type { LogEvent } from "../../src/core/log-event.ts";
import { renderJson } from "../../src/health/report.ts";
import { setOf, verdictOf } from "../health/verdicts.ts";
import { live } from "../simulation/life.ts";
import type { World } from "../simulation/world.ts";
import { listArguments, listStrings, memberOf } from "./support/calls.ts";
import { listNames, listRows } from "./support/tables.ts";

const read = (path: string) => readFileSync(join(repositoryRoot, path), "utf8");
const document = read("docs/LOGS.md");

type Event = { readonly levels: ReadonlySet<string>; readonly fields: ReadonlySet<string> };

const documented = new Map<string, Event>(
  listRows(document, ["event", "level", "fields", "what it means, what to do"]).map(({ cells }) => {
    const [event = "", levels = "", fields = ""] = cells;
    return [
      listNames(event)[0] ?? "",
      { levels: new Set(levels.split(", ")), fields: new Set(listNames(fields)) },
    ];
  }),
);

/** Level and message as the source has them, still as expressions. */
type Site = { readonly path: string; readonly level: string; readonly message: string };

/** The core reports, shells log objects, ports take the message alone, and the gem has a line for the purpose. */
function listSites(path: string): readonly Site[] {
  const source = read(path).replace(/^\s*(\/\/|\/?\*|#).*$/gm, "");
  const site = (level = "", message = "") => ({ path, level, message });
  const said = /\bMessages\.log\(|\breport\(turn,|\brender\(|\b(?:ports|#ports)\.warn\(/;
  const calls = listArguments(source, said).map(([first, second]) =>
    isLevel(first) ? site(first, second) : site('"warning"', first),
  );
  const objects = listArguments(source, /\{(?=\s*level: )/).map((members) =>
    site(memberOf(members, "level"), memberOf(members, "message")),
  );
  return [...calls, ...objects];
}

/** The message comes first where the level is in the name of what is called: `warn`. */
function isLevel(expression = ""): boolean {
  return (
    /"(critical|error|warning|info|debug|trace)"/.test(expression) || /^\w*[lL]evel\w*$/.test(expression)
  );
}

const sites = listRepositoryFiles()
  .filter((path) => /^(src\/.*\.ts|ruby\/(lib|exe)\/.*)$/.test(path))
  .flatMap(listSites);

/** Those that say what is said; the others hand on what they were given. */
const sayings = sites.flatMap(({ path, level, message }) =>
  listStrings(message).map((text) => ({ path, text, levels: listStrings(level) })),
);

const remedy = "docs/LOGS.md and the source differ: give each event its row, with its levels";

describe("the events of docs/LOGS.md", () => {
  test("are those of the source, with their levels", () => {
    const said = new Map<string, Set<string>>();
    for (const { text, levels } of sayings) {
      // A level that is worked out elsewhere is taken as documented.
      const known = levels.length > 0 ? levels : (documented.get(text)?.levels ?? []);
      said.set(text, new Set([...(said.get(text) ?? []), ...known]));
    }
    const plain = (events: ReadonlyMap<string, ReadonlySet<string>>) =>
      Object.fromEntries([...events].sort().map(([text, levels]) => [text, [...levels].sort().join(", ")]));
    const listed = new Map([...documented].map(([text, { levels }]) => [text, levels]));
    expect(plain(listed), remedy).toEqual(plain(said));
  });

  test("are written where they are logged, so that they can be found here and by whoever searches for one", () => {
    const handedOn = /^(|message|message\.message)$/;
    const hidden = sites.filter(
      ({ message }) => listStrings(message).length === 0 && !handedOn.test(message),
    );
    expect(hidden).toEqual([]);
    const shorthand = sites.filter(({ level, message }) => message === "" && isLevel(level));
    const made = shorthand.filter(({ path }) => /\bconst message =/.test(read(path)));
    expect(made).toEqual([]);
  });

  test("are found in every file that says something (the test can see)", () => {
    const heard = new Set(sayings.map(({ path }) => path));
    for (const path of [
      "src/core/worker-events.ts",
      "src/compose.ts",
      "src/cli/run.ts",
      "src/logging/logger.ts",
      "src/supervisor.ts",
      "src/workers/worker-socket.ts",
      "src/workers/exec-launcher.ts",
      "src/workers/preload-launcher.ts",
      "ruby/lib/kleinhirn_loader/cli.rb",
      "ruby/lib/kleinhirn_loader/requests.rb",
    ])
      expect(heard).toContain(path);
  });

  test("have the levels and fields that they have in simulated lives", () => {
    const wrong = new Set<string>();
    let events = 0;
    const onEvent = (event: LogEvent) => {
      events += 1;
      for (const fault of listFaults(event)) wrong.add(fault);
    };
    const onWorld = ({ watcher }: World) => {
      watcher.onEvent = onEvent;
    };
    for (let seed = 1; seed <= 100; seed += 1) live(seed, { onWorld, onStep: () => {} });
    expect([...wrong]).toEqual([]);
    expect(events).toBeGreaterThan(1000);
  }, 120_000);
});

function listFaults({ level, message, fields }: LogEvent): readonly string[] {
  const event = documented.get(message);
  if (event === undefined) return [`${message} is not documented`];
  const unknown = Object.entries(fields).filter(
    ([key, value]) => value !== undefined && !event.fields.has(key),
  );
  const faults = unknown.map(([key]) => `${message} has a field ${key}`);
  return event.levels.has(level) ? faults : [...faults, `${message} has the level ${level}`];
}

test("the fields of the health JSON are those of docs/LOGS.md", () => {
  const worker = { slot: 0, id: "w-1", phase: "ready", pid: 17, ageMs: 1 } as const;
  const set = setOf({
    lastDeath: { cause: "status 1", agoMs: 1 },
    detail: "no preloader",
    workers: [worker],
  });
  const report: unknown = JSON.parse(renderJson(true, verdictOf({ sets: [set] })));
  const section = document.slice(document.indexOf("## Health as JSON"));
  const listed = listRows(section, ["field", "value"]).flatMap(({ cells }) => listNames(cells[0] ?? ""));
  expect(listed.toSorted()).toEqual(listPaths(report).toSorted());
});

/** `sets[].last_death.cause`; an object that may be null is a field as well. */
function listPaths(value: unknown, path = ""): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((each) => listPaths(each, `${path}[]`));
  if (typeof value !== "object" || value === null) return [path];
  const members = Object.entries(value).flatMap(([key, each]) =>
    listPaths(each, path === "" ? key : `${path}.${key}`),
  );
  return path === "" || path.endsWith("[]") ? members : [path, ...members];
}
