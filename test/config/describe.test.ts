import { describe, expect, test } from "bun:test";
import { describeConfig } from "../../src/config/describe.ts";
import { loadSound, programFile } from "./loading.ts";

test("a file with several sets", () => {
  const config = loadSound(
    `
    [supervisor]
    name = "shop"
    socket = "@shop"
    shutdown_timeout = "1m"
    drain_delay = "5s"
    on_fault = "exit"
    version = "v7"

    [health_check]
    listen_addr = "[::]:3000"

    [log]
    level = "debug"
    format = "json"

    [workers.web]
    type = "ruby"
    count = 3
    min_ready = 2
    gemfile = "Gemfile"
    load = "app.rb"
    start_expression = "Web.run"
    ack_timeout = "1m 30s"
    max_starting = 1
    stop_signal = "INT"
    open_files = 1024

    [workers.jobs]
    type = "ruby"
    gemfile = "Gemfile"
    load = "app.rb"
    start_expression = "Jobs.run"
    ack = "none"
    ack_timeout = "1s"

    [workers.proxy]
    type = "program"
    cmdline = ["nc", "-l", "two words", ""]
    cwd = "/tmp"
    restart.backoff = "0s"
    env = { TOKEN = "secret", ADDRESS = "x" }`,
  );
  expect(describeConfig(config, {})).toBe(
    `
shop: 5 workers in 3 sets
  file         /srv/shop/shop.toml
  socket       @shop
  version      v7
  health       /healthz, /readyz and /livez on [::], port 3000
  log          debug and above, to stderr, as JSON
  stop         after answering "not ready" for 5s; 1m at the most, then everything left is killed
  on fault     drain and exit 1

web: 3 workers, ruby
  load         /srv/shop/app.rb, 5m at the most
  expression   Web.run
  Gemfile      /srv/shop/Gemfile
  preloader    shared with jobs
  folder       /srv/shop
  environment  the supervisor's
  ready        when it says so, within 1m 30s of its launch; the set is ready with 2 of 3
  launch       30s at the most; 1 starting at one time
  stop         SIGINT, after 10s KILL to the process group
  deaths       replaced at once, then after 100ms, doubling up to 10s; more than 9 within 1m fault the set
  open files   1024

jobs: 1 worker, ruby
  load         /srv/shop/app.rb, 5m at the most
  expression   Jobs.run
  Gemfile      /srv/shop/Gemfile
  preloader    shared with web
  folder       /srv/shop
  environment  the supervisor's
  ready        when launched (ack_timeout has no use here); the set is ready with 1 of 1
  launch       30s at the most
  stop         SIGTERM, after 10s KILL to the process group
  deaths       replaced at once, then after 100ms, doubling up to 10s; more than 5 within 1m fault the set
  open files   as many as kleinhirn may

proxy: 1 worker, program
  command      nc -l "two words" ""
  folder       /tmp
  environment  the supervisor's, with ADDRESS, TOKEN
  ready        when launched; the set is ready with 1 of 1
  launch       30s at the most
  stop         SIGTERM, after 10s KILL to the process group
  deaths       replaced at once; more than 5 within 1m fault the set
  open files   as many as kleinhirn may`.trimStart(),
  );
});

describe("what the file leaves open", () => {
  test("without XDG_RUNTIME_DIR", () => {
    const text = describeConfig(loadSound(programFile()), {});
    expect(text).toContain("\n  socket       /tmp/kleinhirn-shop.sock, else an abstract one\n");
    expect(text).toContain("\n  health       not served\n");
    expect(text).toContain("as logfmt, or coloured on a terminal\n");
    expect(text).toContain("\n  on fault     keep serving with what is left, answer unhealthy\n");
  });

  test("with XDG_RUNTIME_DIR", () => {
    const text = describeConfig(loadSound(programFile()), { XDG_RUNTIME_DIR: "/run/user/7" });
    expect(text).toContain(
      "socket       /run/user/7/kleinhirn-shop.sock, else /tmp/kleinhirn-shop.sock, else an abstract one",
    );
  });
});

test.each([
  ['"127.0.0.1:0"', "on 127.0.0.1, any free port"],
  ['"unix:h.sock"', "on the socket /srv/shop/h.sock"],
])("health on %s", (address, text) => {
  const config = loadSound(programFile("", `[health_check]\nlisten_addr = ${address}`));
  expect(describeConfig(config, {})).toContain(text);
});

test("nothing in a file can steer the terminal, and no secret is shown", () => {
  const nasty = "\\u001b]0;title\\u0007\\u009b2J\\u202e\\r\\n";
  const config = loadSound(
    programFile(`cwd = "/tmp/${nasty}"\nenv = { "N${nasty}" = "secret" }`).replace('"60"', `"${nasty}"`),
    { folders: ["/tmp/\u001b]0;title\u0007\u009b2J\u202e\r\n"] },
  );
  const text = describeConfig(config, {});
  expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
  expect(text.split("\n")).toHaveLength(describeConfig(loadSound(programFile()), {}).split("\n").length);
  expect(text).not.toContain("secret");
  expect(text).toContain("\\u001b]0;title\\u0007\\u009b2J\\u202e\\r\\n");
});
