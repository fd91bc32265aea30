import { describe, expect, test } from "bun:test";
import { errorText } from "../../src/logging/error-text.ts";

describe("the text of an error", () => {
  test("has its stack and those of its causes", () => {
    const text = errorText(new Error("outer", { cause: new TypeError("inner", { cause: "a string" }) }));
    expect(text).toStartWith("Error: outer\n");
    expect(text).toContain("\ncaused by: TypeError: inner\n");
    expect(text).toEndWith("\ncaused by: a string");
    expect(text.match(/error-text\.test\.ts/g)?.length).toBeGreaterThanOrEqual(2);
  });

  test("has name and message where there is no stack", () => {
    const error = new RangeError("too far");
    Object.defineProperty(error, "stack", { value: undefined });
    expect(errorText(error)).toBe("RangeError: too far");
  });

  test("ends, even where causes go round", () => {
    const error = new Error("round");
    error.cause = error;
    expect(errorText(error).match(/caused by/g)?.length).toBeLessThan(10);
  });

  test("shows whatever was thrown", () => {
    expect(errorText("a string")).toBe("a string");
    expect(errorText(undefined)).toBe("undefined");
    expect(errorText(Object.create(null))).toBe("something was thrown that can't be shown");
  });
});
