/**
 * Asks the URL in its argument, one request after the other, each on a connection of its own, until its standard input
 * ends; then prints what it saw. A process of its own, so that nothing that the test does delays it.
 */
export type Probes = { readonly tookMs: readonly number[]; readonly statuses: readonly number[] };

const [url = ""] = process.argv.slice(2);
const tookMs: number[] = [];
const statuses = new Set<number>();
let isOver = false;

void Bun.stdin.text().then(() => {
  isOver = true;
});
do {
  const startedAt = performance.now();
  const answer = await fetch(url, { keepalive: false });
  await answer.text();
  const ms = performance.now() - startedAt;
  statuses.add(answer.status);
  // The first one of a process brings much of Bun into memory.
  if (tookMs.push(ms) === 1) console.log("probing");
  // Work that is over in an instant is still followed by some.
} while (!isOver || tookMs.length < 4);
const probes: Probes = { tookMs: tookMs.slice(1), statuses: [...statuses] };
console.log(JSON.stringify(probes));
