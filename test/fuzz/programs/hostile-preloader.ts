/**
 * Speaks the preloader's side of docs/PROTOCOL.md as rudely as it allows: whatever text it may choose is drawn from the seed in
 * FUZZ_SEED. It answers every spawn by a failure, and at last fails itself.
 */
import { Dice } from "../../core/random/dice.ts";
import { waitUntil } from "../../helpers/wait.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { hostileLogs, hostileReports } from "../support/reports.ts";

const argument = (name: string) => process.argv[process.argv.indexOf(`--${name}`) + 1] ?? "";
const dice = new Dice(Number(process.env.FUZZ_SEED));
const peer = await RawPeer.connect({ unix: argument("socket") });
const say = (message: object) => peer.send(`${JSON.stringify(message)}\n`);

await say({ action: "hello", pid: process.pid, protocol: 1 });
for (const { level, msg, fields } of hostileLogs(dice)) await say({ ...fields, action: "log", level, msg });
await say({ action: "ready" });
const failures = hostileReports(dice);
for (const [index, { message }] of failures.entries()) {
  // After each failure the supervisor asks again, until it has had enough.
  await waitUntil(() => peer.answer.split("\n").length > index + 1);
  const spawn = peer.answer.split("\n")[index] ?? "";
  await say({ action: "failed", id: JSON.parse(spawn).id, message });
}
const [last] = hostileReports(dice);
await say({ action: "error", message: last?.message ?? "", error: last?.error ?? "" });
process.exit(1);
