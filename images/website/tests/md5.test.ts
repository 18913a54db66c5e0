import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Md5 } from "../src/upload/md5";

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_one, index) => (index * 31 + (index >> 5)) & 0xff);
const expected = (all: Uint8Array): string => createHash("md5").update(all).digest("hex");

describe("Md5", () => {
  it.each([0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 100_003])("of %d bytes is what everybody else says", (length) => {
    expect(new Md5().update(bytes(length)).hex()).toBe(expected(bytes(length)));
  });

  it("does not depend on the pieces", () => {
    const all = bytes(10_000);
    for (const piece of [1, 7, 63, 64, 65, 1000]) {
      const md5 = new Md5();
      for (let at = 0; at < all.length; at += piece) md5.update(all.subarray(at, at + piece));
      expect(md5.hex()).toBe(expected(all));
    }
  });
});
