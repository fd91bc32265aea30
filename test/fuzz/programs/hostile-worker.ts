/** A worker that reports errors whose texts it draws from the seed in its argument, one after the other, and then acks. */
import { Dice } from "../../core/random/dice.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { hostileReports } from "../support/reports.ts";

const { KLEINHIRN_SOCKET: unix = "", KLEINHIRN_WORKER_ID: id = "" } = process.env;
const [seed] = process.argv.slice(2);

for (const { message, error } of hostileReports(new Dice(Number(seed))))
  await tell({ action: "error", id, message, error });
await tell({ action: "ack", id });
setInterval(() => {}, 2 ** 30);

/** The answer says that it is in the log. */
async function tell(message: object): Promise<void> {
  using peer = await RawPeer.connect({ unix });
  await peer.send(`${JSON.stringify(message)}\n`);
  await peer.closed();
  if (peer.answer !== '{"ok":true}\n') throw new Error(`refused: ${peer.answer}`);
}
