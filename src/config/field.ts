import { type Failed, type Field, fail, type Site, type ValueType } from "./reader.ts";

type Details = {
  readonly meaning: string;
  readonly otherNames?: readonly string[];
  readonly only?: "program" | "ruby";
};

/** A key that must be there. */
export function required<T>(key: string, type: ValueType<T>, details: Details): Field<T> {
  const absent = (site: Site): Failed => fail(site, `a value (${type.name})`, "none", "this key is required");
  return makeField(key, type, "required", details, absent);
}

/** A key with a default that the file could have written itself. */
export function defaulted<T>(
  key: string,
  type: ValueType<T>,
  value: string | number,
  details: Details,
): Field<T> {
  return makeField(key, type, JSON.stringify(value), details, (site) => type.read(value, site));
}

/** A key that may be left out; `otherwise` says in a few words what then holds. */
export function optional<T>(
  key: string,
  type: ValueType<T>,
  otherwise: string,
  details: Details,
): Field<T | undefined> {
  return makeField<T | undefined>(key, type, otherwise, details, () => undefined);
}

function makeField<T>(
  key: string,
  type: ValueType<T>,
  byDefault: string,
  details: Details,
  readAbsent: (site: Site) => T | Failed,
): Field<T> {
  const { meaning, otherNames = [], only } = details;
  return { key, type: type.name, default: byDefault, meaning, otherNames, only, read: type.read, readAbsent };
}
