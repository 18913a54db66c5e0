import { describe, expect, it } from "vitest";
// @ts-expect-error a plain program of the build, without types
import { SUBSTITUTIONS, substitute } from "../tools/viewer.mjs";

const patterns = SUBSTITUTIONS as [string, string][];
const replace = substitute as (text: string) => string;

describe("substitute", () => {
  const bundle = patterns.map(([from]) => from).join(";");
  it("replaces every address", () => {
    const result = replace(bundle);
    expect(result).not.toMatch(/https?:\/\//);
    expect(result).toContain('location.origin+"/geocoder"');
  });
  it.each(patterns)("fails when %s is gone", (from) => expect(() => replace(bundle.replace(from, ""))).toThrow("0 times"));
  it("fails when an address is there twice", () => expect(() => replace(bundle + bundle)).toThrow("2 times"));
});
