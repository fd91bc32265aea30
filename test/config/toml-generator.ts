import fc from "fast-check";

/** A value as it is written, and the keys inside it with their lines counted from the value's own. */
type Value = { readonly text: string; readonly inner: readonly (readonly [path: string, below: number])[] };

const plain = fc
  .constantFrom("1", "true", "[]", "{}", '"x # [y] = 1"', "'[z]'", '"\\"[q]\\" = 2"', '""', "-0.5")
  .map((text): Value => ({ text, inner: [] }));

const spread = fc
  .constantFrom(
    '"""\n[fake]\nfake = 1 \\\n   x"""',
    "'''\nfake = [\n'''",
    "[\n  1, # ] fake = 2\n\n  2\n]",
    '[ "]",\n[ "x = 1" ] ]',
    '""" one line "" """',
  )
  .map((text): Value => ({ text, inner: [] }));

const { inlineTable, value } = fc.letrec<{ inlineTable: Value; value: Value }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, plain, spread, tie("inlineTable")),
  inlineTable: fc.array(tie("value"), { minLength: 1, maxLength: 3 }).map(joinInline),
}));

/** `{ i0 = …, i1.j = … }`: what follows a value of several lines stands that much lower. */
function joinInline(values: readonly Value[]): Value {
  const inner: [string, number][] = [];
  let text = "{ ";
  for (const [index, element] of values.entries()) {
    const below = countNewlines(text);
    const parts = index % 2 === 0 ? [`i${index}`] : [`i${index}`, "constructor"];
    for (const end of parts.keys()) inner.push([parts.slice(0, end + 1).join("/"), below]);
    for (const [path, lower] of element.inner) inner.push([`${parts.join("/")}/${path}`, below + lower]);
    text += `${index === 0 ? "" : ", "}${parts.join(".")} = ${element.text}`;
  }
  return { text: `${text} }`, inner };
}

const filler = fc.constantFrom("", "\n", "# [comment] = 1\n", "\n\n", "  \t\n");
const part = fc.constantFrom("a", "b-c", '"d e"', "'f.g'", "toString", "__proto__", '"=["', '"é"');

/** Either a header or an assignment; a number is put into each, so that no key comes twice. */
export const statements = fc.array(
  fc.record({
    kind: fc.constantFrom("table", "assignment", "assignment", "assignment"),
    filler,
    parts: fc.array(part, { minLength: 1, maxLength: 3 }),
    spacing: fc.constantFrom("", " ", "\t"),
    value: fc.oneof(value, inlineTable),
    ending: fc.constantFrom("\n", " # end = 1\n", "\r\n"),
  }),
  { maxLength: 12 },
);

type Statement = (typeof statements extends fc.Arbitrary<infer List> ? List : never) extends (infer One)[]
  ? One
  : never;

/** The text of a document, and the line of each key, as `parent/key`. */
export function renderDocument(generated: readonly Statement[]): {
  text: string;
  lines: Map<string, number>;
} {
  const lines = new Map<string, number>();
  let [text, header] = ["", ""];
  for (const [index, statement] of generated.entries()) {
    text += statement.filler;
    const line = countNewlines(text) + 1;
    const parts = [`k${index}`, ...statement.parts];
    const names = parts.map((name) => name.replace(/^["'](.*)["']$/, "$1"));
    const prefix = statement.kind === "table" ? "" : header;
    for (const end of names.keys()) lines.set(prefix + names.slice(0, end + 1).join("/"), line);
    const key = parts.join(`${statement.spacing}.${statement.spacing}`);
    if (statement.kind === "table") {
      header = `${names.join("/")}/`;
      text += `${statement.spacing}[${statement.spacing}${key}${statement.spacing}]${statement.ending}`;
      continue;
    }
    for (const [path, below] of statement.value.inner)
      lines.set(`${prefix}${names.join("/")}/${path}`, line + below);
    text += `${statement.spacing}${key}${statement.spacing}=${statement.spacing}${statement.value.text}${statement.ending}`;
  }
  return { text, lines };
}

function countNewlines(text: string): number {
  return text.split("\n").length - 1;
}
