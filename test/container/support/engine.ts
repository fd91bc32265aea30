/** podman in namespaces of its own: whatever it starts, mounts or stores ends with them. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { childrenOf, isAlive } from "../../helpers/processes.ts";
import { marker, type StartOptions } from "../../helpers/running.ts";
import { waitUntil } from "../../helpers/wait.ts";

/** No registry is asked for anything, no network is set up, and nothing of the system's own settings is read. */
const settings = `
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=1024:1024"]
cgroups = "disabled"
netns = "none"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "crun"
`;

/**
 * The init of those namespaces: bash, because it reaps what podman leaves to it. Podman finds the cgroup's version by the
 * file system that is mounted where a hybrid machine has a second one.
 */
const init = `
set -e
mount --make-rprivate /
umount /sys/fs/cgroup/unified 2> /dev/null || true
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /dev/shm
mkdir -p /var/lib/containers
mount --bind "$0" /var/lib/containers
mkdir -p /etc/cni
mount -t tmpfs tmpfs /etc/cni
: > "$0/ready"
sleep infinity & wait
`;

const cgroups = "/sys/fs/cgroup";

/** The second copies every file for every step of a build; the first is refused on some file systems. */
const drivers = ["overlay", "vfs"] as const;

export type Answer = { readonly status: number; readonly stdout: string; readonly stderr: string };

export class Engine implements AsyncDisposable {
  /** A folder for what images are made of; the engine's own store is in it too. */
  readonly folder = mkdtempSync(join(tmpdir(), "kleinhirn-engine-"));
  readonly #cgroup = `kleinhirn-${crypto.randomUUID()}`;
  readonly #holder: Bun.Subprocess;
  #driver: (typeof drivers)[number] = "overlay";
  #names = 0;

  private constructor() {
    writeFileSync(join(this.folder, "containers.conf"), settings);
    const store = join(this.folder, "store");
    mkdirSync(store);
    this.#holder = Bun.spawn(
      ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c", init, store],
      { stdio: ["ignore", "ignore", "ignore"] },
    );
  }

  /** @returns why containers can't be run here, when they can't. */
  static async start(): Promise<Engine | string> {
    if (process.getuid?.() !== 0) return "only root may set podman's namespaces up";
    for (const program of ["podman", "crun", "buildah"]) {
      if (Bun.which(program) === null) return `${program} is not installed`;
    }
    const engine = new Engine();
    const obstacle = await engine.#findObstacle();
    if (obstacle === undefined) return engine;
    await engine[Symbol.asyncDispose]();
    return obstacle;
  }

  async #findObstacle(): Promise<string | undefined> {
    const isReady = () => readdirSync(join(this.folder, "store")).includes("ready");
    await waitUntil(() => isReady() || this.#holder.exitCode !== null);
    if (!isReady()) return "podman's namespaces can't be set up";
    writeFileSync(join(this.folder, "Containerfile"), "FROM scratch\nCOPY containers.conf /\n");
    let obstacle: string | undefined;
    for (const driver of drivers) {
      this.#driver = driver;
      obstacle = this.#tryToRun();
      if (obstacle === undefined) return undefined;
    }
    return obstacle;
  }

  #tryToRun(): string | undefined {
    const file = join(this.folder, "Containerfile");
    const built = this.podman("build", "-q", "-t", "trial", "-f", file, this.folder);
    if (built.status !== 0) return `podman can't build: ${built.stderr}`;
    const { stderr } = this.podman("run", "--name", "trial", "trial", "/none");
    // It came as far as looking for the program, and that is not there.
    return stderr.includes("`/none` not found") ? undefined : `podman can't run: ${stderr}`;
  }

  get #init(): number {
    return childrenOf(this.#holder.pid)[0] ?? 0;
  }

  /** A command that runs where podman runs, and sees the pids that podman speaks of. */
  inside(...command: readonly string[]): string[] {
    return ["nsenter", "--target", String(this.#init), "--mount", "--pid", ...command];
  }

  command(...args: readonly string[]): string[] {
    const settings = [`CONTAINERS_CONF=${join(this.folder, "containers.conf")}`, "BUILDAH_ISOLATION=chroot"];
    // What podman leaves to end by itself a moment later is not what `Running` looks for.
    const store = ["--storage-driver", this.#driver, "--root", `/var/lib/containers/${this.#driver}`];
    return this.inside("env", "-u", marker, ...settings, "podman", ...store, ...args);
  }

  podman(...args: readonly string[]): Answer {
    const { exitCode, stdout, stderr } = Bun.spawnSync(this.command(...args), {
      stdio: ["ignore", "pipe", "pipe"],
    });
    return { status: exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
  }

  /** As `podman`, for what must succeed. */
  do(...args: readonly string[]): string {
    const { status, stdout, stderr } = this.podman(...args);
    if (status !== 0) throw new Error(`podman ${args.join(" ")}: status ${status}\n${stdout}${stderr}`);
    return stdout.trim();
  }

  /** PID 1 of a container, as we see it. Podman says how it is called in podman's own namespace. */
  pidOf(name: string): number {
    const inside = this.do("inspect", "--format", "{{.State.Pid}}", name);
    const found = listPids().find((pid) => namesOf(pid).slice(1).join(" ") === `${inside} 1`);
    if (found === undefined) throw new Error(`container ${name} has no process ${inside}`);
    return found;
  }

  /** What a server in a container answers on the container's own network. */
  fetchInside(name: string, url: string): string {
    const enter = ["nsenter", "--target", String(this.pidOf(name)), "--net"];
    const script = "process.stdout.write(await (await fetch(process.argv[1])).text())";
    return Bun.spawnSync([...enter, process.execPath, "-e", script, url]).stdout.toString();
  }

  /** A name that no other container of this engine has. */
  newName(): string {
    this.#names += 1;
    return `c${this.#names}`;
  }

  /**
   * For `Running`: kleinhirn in a container in the foreground, with the test's configuration in a folder of its own.
   *
   * @param flags of `podman run`.
   */
  run(name: string, image: string, flags: readonly string[]): StartOptions {
    const readable = ["sh", "-c", `chmod -R a+rwX "$0" && exec "$@"`, "@FOLDER@"];
    const place = ["--cgroups", "enabled", "--cgroup-parent", `/${this.#cgroup}`];
    const mount = ["--volume", "@FOLDER@:/etc/kleinhirn:ro"];
    // The engine's own timers need systemd; the tests ask for the check themselves.
    const check = ["--health-interval", "disable"];
    const run = ["run", "--name", name, ...place, ...mount, ...check, ...flags, image];
    return {
      wrapper: [...readable, ...this.command(...run)],
      program: () => ["run", "-f", "/etc/kleinhirn/kleinhirn.toml"],
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // unshare itself ignores TERM; with its child, the init, the kernel ends everything in there.
    const init = this.#init;
    if (init !== 0) process.kill(init, "SIGKILL");
    await this.#holder.exited;
    await waitUntil(() => !isAlive(init));
    removeGroups(this.#cgroup);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Podman leaves them to systemd, or to nobody. */
function removeGroups(name: string): void {
  for (const controller of ["", ...readdirSync(cgroups)]) removeGroup(join(cgroups, controller, name));
}

function removeGroup(folder: string): void {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) removeGroup(join(folder, entry.name));
    }
    rmdirSync(folder);
  } catch {
    // Not a folder, or this controller has no such group.
  }
}

function listPids(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** What a process is called, from our namespace down to its own. */
function namesOf(pid: number): readonly string[] {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return /^NSpid:\s*(.*)$/m.exec(status)?.[1]?.split("\t") ?? [];
  } catch {
    return []; // It ended between the two looks.
  }
}
