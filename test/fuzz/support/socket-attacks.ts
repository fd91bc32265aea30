/** What strangers do on the supervisor's socket, each on a connection of its own. */
import { Dice } from "../../core/random/dice.ts";
import { hostileLine } from "./hostile-lines.ts";
import { type Idlers, RawPeer } from "./raw-peer.ts";

export type Surroundings = {
  readonly address: string;
  /** Who holds on to a connection is kept here until there are too many of them. */
  readonly idlers: Idlers;
  /** Ids of workers that live, for whom somebody may pretend to speak. */
  readonly workerIds: readonly string[];
  /** How much of a line without an end was taken, at the most. */
  onEndlessLine(takenBytes: number): void;
};

type Attack = (dice: Dice, surroundings: Surroundings) => Promise<void>;

const gigabyte = 2 ** 30;
const chunk = new Uint8Array(256 * 1024).fill(0x78);

/** Of a thousand connections, how many are which. */
const attacks: readonly (readonly [weight: number, name: string, attack: Attack])[] = [
  [300, "hostile lines", sayHostileLines],
  [150, "an ack in a worker's name", pretendToBeAWorker],
  [100, "a preloader's message", pretendToBeThePreloader],
  [120, "half a line, and hangs up", hangUpInALine],
  [100, "half a line, and holds on", holdOnInALine],
  [60, "half a line, and says that it is over", endInALine],
  [80, "says nothing, holds on", sayNothing],
  [40, "hangs up at once", hangUp],
  [40, "never reads", neverRead],
  [5, "byte by byte", sayByteByByte],
  [5, "a gigabyte in one line", sayAGigabyte],
];

export const attackNames = attacks.map(([, name]) => name);

/** @returns the name of what was done. */
export async function attackOnce(dice: Dice, surroundings: Surroundings): Promise<string> {
  // Drawn before anything is waited for: others draw meanwhile, and in another order each time.
  const own = new Dice(dice.below(2 ** 32));
  let left = own.below(1000);
  for (const [weight, name, attack] of attacks) {
    if (left < weight) {
      await attack(own, surroundings);
      return name;
    }
    left -= weight;
  }
  throw new Error("the weights of the attacks don't add up to a thousand");
}

async function sayHostileLines(dice: Dice, { address }: Surroundings): Promise<void> {
  using peer = await RawPeer.connect({ unix: address });
  const lines = Array.from({ length: 1 + dice.below(20) }, () => Buffer.concat([hostileLine(dice), newline]));
  await expectRefusal(peer, Buffer.concat(lines));
}

async function pretendToBeAWorker(dice: Dice, { address, workerIds }: Surroundings): Promise<void> {
  using peer = await RawPeer.connect({ unix: address });
  const id = dice.pick(workerIds) ?? "";
  const report = { action: "error", id, message: "m", error: "e" };
  await expectRefusal(peer, line(dice.chance(0.7) ? { action: "ack", id } : report));
}

async function pretendToBeThePreloader(dice: Dice, { address, workerIds }: Surroundings): Promise<void> {
  using peer = await RawPeer.connect({ unix: address });
  const [id = "", pid] = [dice.pick(workerIds), process.pid];
  const messages = [
    { action: "hello", pid, protocol: 1 },
    { action: "ready" },
    { action: "launched", id, pid },
    { action: "failed", id, message: "m" },
    { action: "log", level: "critical", msg: "forged" },
  ];
  await expectRefusal(peer, line(dice.pick(messages) ?? {}));
}

async function hangUpInALine(dice: Dice, { address }: Surroundings): Promise<void> {
  using peer = await RawPeer.connect({ unix: address });
  await peer.send(hostileLine(dice));
}

async function holdOnInALine(dice: Dice, { address, idlers }: Surroundings): Promise<void> {
  const peer = await RawPeer.connect({ unix: address });
  idlers.keep(peer);
  await peer.send(chunk.subarray(0, 1 + dice.below(65_000)));
}

async function endInALine(dice: Dice, { address }: Surroundings): Promise<void> {
  using peer = await RawPeer.connect({ unix: address });
  await peer.send(hostileLine(dice));
  peer.shutDown();
  await peer.closed();
}

async function sayNothing(_: Dice, { address, idlers }: Surroundings): Promise<void> {
  idlers.keep(await RawPeer.connect({ unix: address }));
}

async function hangUp(_: Dice, { address }: Surroundings): Promise<void> {
  (await RawPeer.connect({ unix: address }))[Symbol.dispose]();
}

async function neverRead(dice: Dice, { address, idlers }: Surroundings): Promise<void> {
  const peer = await RawPeer.connect({ unix: address });
  idlers.keep(peer);
  peer.stopReading();
  // Not waited for: once it is refused nobody reads the rest, and who doesn't read doesn't see that it is over.
  void peer.send(
    Buffer.concat(Array.from({ length: 1000 }, () => Buffer.concat([hostileLine(dice), newline]))),
  );
}

async function sayByteByByte(dice: Dice, { address }: Surroundings): Promise<void> {
  using peer = await RawPeer.connect({ unix: address });
  const bytes = line({ action: "ack", id: dice.chance(0.5) ? "invented" : "ünvented" });
  for (const byte of bytes) await peer.send(Uint8Array.of(byte));
  await expectRefusal(peer, new Uint8Array(0));
}

/** It has that much to say; what is taken of it is what fits into the kernel's buffers, and 64 KiB. */
async function sayAGigabyte(_: Dice, { address, onEndlessLine }: Surroundings): Promise<void> {
  using peer = await RawPeer.connect({ unix: address });
  while (!peer.isClosed && peer.sentBytes < gigabyte) await peer.send(chunk);
  await peer.closed();
  onEndlessLine(peer.sentBytes);
}

/** One line of answer, however many were sent; and it is closed. */
async function expectRefusal(peer: RawPeer, bytes: Uint8Array): Promise<void> {
  await peer.send(bytes);
  await peer.closed();
  const { answer } = peer;
  const isRefusal = answer.endsWith("\n") && typeof JSON.parse(answer).error === "string";
  if (!isRefusal)
    throw new Error(`${Buffer.from(bytes).toBase64()} was answered by ${JSON.stringify(answer)}`);
}

const newline = Uint8Array.of(0x0a);

function line(message: object): Buffer {
  return Buffer.from(`${JSON.stringify(message)}\n`);
}
