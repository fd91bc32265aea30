import { formatConfigErrors } from "../../src/config/config-error.ts";
import { ErrorList, type ValueType } from "../../src/config/reader.ts";
import type { TomlValue } from "../../src/config/toml.ts";

/** What a value type makes of a value; `null` when it refuses it. */
export function readValue<T>(type: ValueType<T>, value: TomlValue): T | null {
  return type.read(value, { errors: new ErrorList(undefined), path: ["key"], line: undefined });
}

/** The messages of a value type that refuses a value, a line each. */
export function readMessage<T>(type: ValueType<T>, value: TomlValue): string {
  const errors = new ErrorList(undefined);
  const result = type.read(value, { errors, path: ["key"], line: undefined });
  if (result !== null) throw new Error(`accepted as ${JSON.stringify(result)}`);
  return formatConfigErrors(errors.arranged());
}
