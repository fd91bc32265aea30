import { expect, setDefaultTimeout, test } from "bun:test";
import { Fixture } from "./support/fixture.ts";

setDefaultTimeout(60_000);

test("orphans become the subreaper's children, and nobody's without it", async () => {
  await using subreaper = new Fixture("orphan-maker.ts", { args: ["subreaper"] });
  expect(await subreaper.waitFor("orphaned")).toMatchObject({ parent: subreaper.pid });
  await using other = new Fixture("orphan-maker.ts", { args: ["none"] });
  const { parent } = await other.waitFor("orphaned");
  expect(parent).not.toBe(other.pid);
});
