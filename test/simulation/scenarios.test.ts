/** What the simulator has found in production code, one scenario each: what happened, and what must happen. */
import { expect, test } from "bun:test";
import { fleetLimits, preloaderLimits, programLimits, rubyLimits } from "../core/support/limits.ts";
import { Scene } from "./scene.ts";

/** Until it has said that it is ready, and the supervisor has read that. */
function load(scene: Scene, preloader: string): void {
  scene.run(preloader, 1);
  scene.read("backlog");
  scene.run(preloader, 2);
  scene.read(`connection 1 of ${preloader}`);
}

test("a preloader that Bun has reaped is not signalled while its last words are still to be read", () => {
  const preloaders = [{ ...preloaderLimits, stopTimeoutMs: 100 }];
  const scene = new Scene({ ...fleetLimits([rubyLimits({ launchTimeoutMs: 300 })]), preloaders });
  load(scene, "p0.1");
  const { pid } = scene.process("p0.1");
  scene.play("freeze", "p0.1");
  scene.pass(300);
  expect(scene.news).toContain(`SIGTERM to process ${pid}`);
  scene.play("kill", "p0.1");
  scene.read("exit of p0.1");
  scene.goRoundTo(pid);
  const stranger = scene.appear("stranger");
  scene.pass(200);
  expect(stranger).toMatchObject({ pid, state: "alive" });
  expect(scene.news).not.toContain(`SIGKILL to process ${pid}`);
  scene.comeRight();
});

test("the strays of a group are not looked for in a group that has got its number since", () => {
  const scene = new Scene(fleetLimits([programLimits({ stopTimeoutMs: 5000 })]));
  const { pid } = scene.process("web.0#1");
  const stray = scene.fork("web.0#1", "stray");
  scene.play("crash", "web.0#1");
  scene.read("exit of web.0#1");
  expect(scene.news).toContain(`SIGTERM to group ${pid}`);
  expect(stray.state).toBe("zombie");
  scene.read("SIGCHLD");
  scene.goRoundTo(pid);
  const stranger = scene.appear("stranger");
  scene.pass(5000);
  expect(stranger).toMatchObject({ pid, state: "alive" });
});

test("nor in one whose own leader is gone as well", () => {
  const scene = new Scene(fleetLimits([programLimits({ stopTimeoutMs: 5000 })]));
  const { pid } = scene.process("web.0#1");
  scene.fork("web.0#1", "stray");
  scene.play("crash", "web.0#1");
  scene.read("exit of web.0#1");
  scene.read("SIGCHLD");
  scene.goRoundTo(pid);
  expect(scene.appear("stranger").pid).toBe(pid);
  const child = scene.fork("stranger", "stranger's child");
  scene.play("kill", "stranger");
  scene.read("SIGCHLD");
  scene.pass(5000);
  expect(child.state).toBe("alive");
});

test("two preloaders that have one pid, one after the other, are told apart", () => {
  const first = rubyLimits({ name: "web" });
  const second = rubyLimits({ name: "jobs", preloader: 1 });
  const scene = new Scene(fleetLimits([first, second]));
  load(scene, "p0.1");
  load(scene, "p1.1");
  const { pid } = scene.process("p0.1");
  scene.play("kill", "p0.1");
  scene.read("exit of p0.1");
  scene.play("kill", "p1.1");
  scene.read("exit of p1.1");
  scene.read("connection 1 of p1.1");
  scene.goRoundTo(pid);
  scene.read("backlog");
  // The second one's connection has been read to its end, the first one's has not: its pid is used again already.
  expect(scene.process("p1.2").pid).toBe(pid);
  scene.read("connection 1 of p0.1");
  load(scene, "p1.2");
  expect(scene.news.filter((news) => news.startsWith("info: preloader ready"))).toHaveLength(3);
  scene.comeRight();
});

test("a TERM that Ruby loses while it starts is sent again when the preloader says hello", () => {
  const scene = new Scene(fleetLimits([rubyLimits()]));
  const [preloader] = scene.world.starter.preloaders.items;
  if (preloader === undefined) throw new Error("no preloader has been started");
  preloader.losesEarlySignals = true;
  const { pid } = scene.process("p0.1");
  scene.play("stop");
  scene.run("p0.1", 1);
  scene.read("backlog");
  scene.read("connection 1 of p0.1");
  scene.run("p0.1", 1);
  scene.comeRight();
  const terms = scene.news.filter((news) => news === `SIGTERM to process ${pid}`);
  expect(terms).toHaveLength(2);
  expect(scene.news).not.toContain(`SIGKILL to process ${pid}`);
});
