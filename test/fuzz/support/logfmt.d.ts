/** The npm package comes without types: only what these tests ask of it. */
declare module "logfmt" {
  export function parse(line: string): Readonly<Record<string, unknown>>;
}
