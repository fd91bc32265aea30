/** The gem in a compiled kleinhirn: no file of it anywhere, and all the same to an application. */
import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { builtProgram } from "../helpers/built.ts";
import { repository } from "../helpers/program.ts";
import { Running, type StartOptions } from "../helpers/running.ts";
import { common } from "../helpers/settings.ts";
import { testTimeoutMs } from "../helpers/wait.ts";

setDefaultTimeout(testTimeoutMs);

let binary = "";
beforeAll(() => {
  binary = builtProgram();
});

function start(worker: string, options: StartOptions): Running {
  const toml = `[supervisor]\nname = "app"\n${common}\n[worker]\ntype = "ruby"\nload = "app.rb"\n${worker}\n`;
  return new Running(toml, { program: (file) => [binary, "run", "-f", file], ...options });
}

const serve = 'start_expression = "KleinhirnLoader.ack; sleep"';
const app = 'require "kleinhirn_loader"\nputs "loaded #{KleinhirnLoader::VERSION}"\n';

describe("what an application sees of it", () => {
  test("it is required as ever; nothing of it is left in ARGV, standard input, or at the top level", async () => {
    const seen = `
      puts "required #{require "kleinhirn_loader"} #{require "kleinhirn_loader/worker"} #{KleinhirnLoader.name}"
      puts "arguments #{ARGV.inspect}, input #{STDIN.read.inspect}, variables #{TOPLEVEL_BINDING.local_variables.inspect}"
      puts "program #{$PROGRAM_NAME}"
      # As bootsnap does it: a folder may be missing (ENOENT), any other error ends the application.
      $LOAD_PATH.each { |folder| File.realpath(folder) rescue (raise unless $!.is_a?(Errno::ENOENT)) }
    `;
    await using running = start(serve, { files: { "app.rb": seen } });
    await running.waitFor("worker set running");
    expect(running.output).toContain("required false false KleinhirnLoader\n");
    expect(running.output).toContain('arguments [], input "", variables []\n');
    expect(running.output).toContain(`program ${binary}.gem/exe/kleinhirn_loader\n`);
    expect(await running.stop()).toBe(0);
  });

  test("a backtrace names the files of the gem, beside the binary", async () => {
    const raise = `start_expression = 'raise "no more"'\nack = "none"`;
    await using running = start(raise, { files: { "app.rb": app } });
    const [line] = await running.waitFor("worker raised an error");
    expect(String(line?.error)).toMatch(/A?start_expression of app:1:in .*no more \(RuntimeError\)/);
    expect(String(line?.error)).toContain(`${binary}.gem/lib/kleinhirn_loader/worker_process.rb:`);
    expect(String(line?.error)).toContain(`${binary}.gem/exe/kleinhirn_loader:`);
    expect(await running.stop()).toBe(0);
  });

  // An application that names the gem has a folder of it in its load path, maybe of another version.
  test("it comes before a copy that the application's Gemfile names", async () => {
    const files = {
      "app.rb": app,
      Gemfile: 'gem "kleinhirn_loader", path: "copy"\n',
      "copy/kleinhirn_loader.gemspec":
        'Gem::Specification.new { |s| s.name = "kleinhirn_loader"; s.version = "9.9.9"; s.summary = s.authors = "x" }\n',
      "copy/lib/kleinhirn_loader.rb": 'abort "the copy was loaded"\n',
      "copy/lib/kleinhirn_loader/version.rb": 'abort "the version of the copy was loaded"\n',
    };
    await using running = start(`gemfile = "Gemfile"\n${serve}`, { files });
    await running.waitFor("worker set running");
    expect(running.output).toContain("loaded 0.1.0\n");
    expect(await running.stop()).toBe(0);
  });

  test("an application may pin its own json: nothing of Ruby's library is loaded before it", async () => {
    const files = {
      "app.rb": `${app}puts "json #{$LOADED_FEATURES.grep(/json/).size}"\nrequire "json"\nputs "json #{JSON::PINNED}"\n`,
      Gemfile: 'gem "json", "99.0", path: "json"\n',
      "json/json.gemspec":
        'Gem::Specification.new { |s| s.name = "json"; s.version = "99.0"; s.summary = s.authors = "x" }\n',
      "json/lib/json.rb": `load "#{RbConfig::CONFIG["rubylibdir"]}/json.rb"\nmodule JSON; PINNED = "99"; end\n`,
    };
    await using running = start(`gemfile = "Gemfile"\n${serve}`, { files });
    await running.waitFor("worker set running");
    expect(running.output).toContain("json 0\njson 99\n");
    expect(await running.stop()).toBe(0);
  });

  test("a config.ru is loaded, what is needed for it only then", async () => {
    const shop = join(repository, "examples/shop");
    const files = {
      "app.rb": "",
      "app.ru": `$stdout.sync = true\nputs "rack #{defined?(Rack::Builder)}"\nrun ->(_) { [200, {}, ["hello"]] }\n`,
    };
    const worker = `gemfile = "${shop}/Gemfile"\nstart_expression = '''
      puts "answers #{KleinhirnLoader.rack_app.call(Rack::MockRequest.env_for("/"))[0]}"
      KleinhirnLoader.ack; sleep'''`;
    const toml = `[supervisor]\nname = "app"\n${common}\n[worker]\ntype = "ruby"\nload = "app.ru"\n${worker}\n`;
    await using running = new Running(toml, { program: (file) => [binary, "run", "-f", file], files });
    await running.waitFor("worker set running");
    expect(running.output).toMatch(/rack constant\nanswers 200/);
    expect(await running.stop()).toBe(0);
  });
});

/** Everything read-only, the usual places for temporary files not executable either, and proof of it. */
const readOnly = `
mount --make-rprivate / || exit 90
program=$(dirname "$1")
mount --bind "$program" "$program" && mount -o remount,bind,ro "$program" || exit 94
for place in /tmp /var/tmp /run /dev/shm; do
  mount --rbind "$place" "$place" && mount -o remount,bind,ro,noexec "$place" || exit 91
done
mount -o remount,bind,ro / && mount -o remount,bind,ro /dev || exit 92
for place in @FOLDER@ /tmp /var/tmp /run /dev/shm /dev "$HOME"; do
  if touch "$place/kleinhirn-was-here" 2>/dev/null; then echo "$place can be written to"; exit 93; fi
done
exec "$@"
`;

const mayMount = Bun.spawnSync(["unshare", "--mount", "mount", "--make-rprivate", "/"]).exitCode === 0;
if (!mayMount) console.warn("Not permitted to make a mount namespace: a read-only root is not tested here.");

describe.skipIf(!mayMount)("with no place to write anything to", () => {
  const wrapper = ["unshare", "--mount", "sh", "-c", readOnly, "sh"];

  test("Ruby workers are preloaded, replaced, and stopped", async () => {
    await using running = start(`${serve}\ncount = 2`, {
      files: { "app.rb": app },
      wrapper,
      env: { XDG_RUNTIME_DIR: undefined },
    });
    await running.waitFor("worker set running");
    expect(running.find("supervisor started")).toMatchObject({ socket: "@kleinhirn-app" });
    process.kill(Number(running.find("worker ready")?.pid), "SIGKILL");
    await running.waitFor("worker set running", 2);
    process.kill(Number(running.find("preloader ready")?.pid), "SIGKILL");
    await running.waitFor("preloader ready", 2);
    expect(await running.stop()).toBe(0);
  });

  test("a memory file is not needed for it either", async () => {
    await using running = start(serve, {
      files: { "app.rb": app },
      wrapper,
      env: { XDG_RUNTIME_DIR: undefined, BUN_FEATURE_FLAG_DISABLE_MEMFD: "1" },
      program: (file) => [process.execPath, `${binary}.js`, "run", "-f", file],
    });
    await running.waitFor("worker set running");
    expect(await running.stop()).toBe(0);
  });
});

test("the binary is its own step between fork and exec where the small one can't be used", async () => {
  const task = ["/", String(process.pid), "-", "-", "/bin/sh", "sh", "-c", 'echo "$GREETING from $PWD"'];
  const child = Bun.spawn([binary, "__exec-step", ...task], {
    env: { "kleinhirn:GREETING": "hello" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  expect(await child.stdout.text()).toBe("hello from /\n");
  expect(await child.exited).toBe(0);
});
