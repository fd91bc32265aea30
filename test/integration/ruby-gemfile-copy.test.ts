/** An application whose Gemfile names kleinhirn_loader, in another version than the one that comes with kleinhirn. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../package.json";
import { Running, repository } from "../helpers/running.ts";
import { supervisor } from "../helpers/settings.ts";
import { testTimeoutMs } from "../helpers/wait.ts";

setDefaultTimeout(testTimeoutMs);

const gem = join(repository, "ruby");

/** The gem's own files in `vendor/`, of another version and protocol. */
function copyOfGem(version: string, protocol: number): Record<string, string> {
  const library = readdirSync(join(gem, "lib"), { recursive: true, encoding: "utf8" });
  const paths = library.filter((path) => path.endsWith(".rb")).map((path) => `lib/${path}`);
  const files = [...paths, "exe/kleinhirn_loader", "kleinhirn_loader.gemspec", "README.md", "LICENSE"].map(
    (path) => [`vendor/${path}`, readFileSync(join(gem, path), "utf8")] as const,
  );
  const constants = `module KleinhirnLoader\n  VERSION = "${version}"\n  PROTOCOL = ${protocol}\nend\n`;
  return { ...Object.fromEntries(files), "vendor/lib/kleinhirn_loader/version.rb": constants };
}

const app = `
Bundler.require
puts "uses #{KleinhirnLoader::VERSION}"
`;

const toml = `${supervisor()}
  [worker]
  type = "ruby"
  gemfile = "Gemfile"
  load = "app.rb"
  start_expression = "KleinhirnLoader.ack; sleep"
`;

test.each([
  ["0.0.1", 1, { level: "info" }, "older than this kleinhirn"],
  ["99.0.0", 1, { level: "warning" }, "newer than this kleinhirn"],
  [
    "99.0.0",
    99,
    { level: "warning", gemfile_protocol: "99", protocol: 1 },
    "another protocol than kleinhirn",
  ],
])(
  "version %s, protocol %d: kleinhirn's own is used, and the log says so",
  async (version, protocol, fields, words) => {
    const files = {
      ...copyOfGem(version, protocol),
      "app.rb": app,
      Gemfile: 'gem "kleinhirn_loader", path: "vendor"\n',
    };
    await using s = new Running(toml, { files });
    await s.waitFor("worker set running");
    expect(s.output).toContain(`uses ${manifest.version}`);
    const remarks = s.all(({ msg }) => msg.includes("the Gemfile's kleinhirn_loader"));
    expect(remarks).toHaveLength(1);
    expect(remarks[0]).toMatchObject({ ...fields, gemfile: version, used: manifest.version, generation: 1 });
    expect(remarks[0]?.msg).toContain(words);
    expect(await s.stop()).toBe(0);
  },
);
