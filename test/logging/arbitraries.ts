import fc from "fast-check";

/** Any 16 bits: whole characters and halves of them. */
const codeUnits = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 5 })
  .map((units) => String.fromCharCode(...units));

/** Text as a hostile worker would choose it: separators, quotes, escapes, line ends of every kind, lone surrogates. */
export const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ..." =\"'\\\n\r\t\0\u001b\u007f\u0085\u009b\u00a0\u2028\u2029\u202e\ufeff\ufffd",
        "\ud800",
        "\udfff",
        "level=critical",
        "null",
        "msg",
        "ts",
        "{",
        "}",
      ),
      fc.string({ maxLength: 5 }),
      codeUnits,
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

export const fieldValue = fc.oneof(
  hostileText,
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
);

/** Made by defining, as JSON.parse makes them: `__proto__` is a key like any other. */
export const hostileFields = fc
  .array(
    fc.tuple(fc.oneof(hostileText, fc.constantFrom("set", "error", "level", "__proto__", "0")), fieldValue),
    {
      maxLength: 8,
    },
  )
  .map((entries) => Object.fromEntries(entries));
