import { afterEach, describe, expect, it, vi } from "vitest";
import { around, visibleExtent } from "../src/core/extent";

const listed = (...boxes: (number[] | null)[]): Response =>
  new Response(JSON.stringify({ collections: boxes.map((bbox) => ({ extent: { spatial: { bbox: [bbox] } } })) }));

describe("where the map opens", () => {
  afterEach(() => void vi.unstubAllGlobals());

  it("is around everything the person may see", () => {
    expect(around([[1, 49, 2, 50], [-3, 49.5, 1.5, 51]])).toEqual([-3, 49, 2, 51]);
    expect(around([])).toBeNull();
  });

  it("leaves out sequences without a place", async () => {
    vi.stubGlobal("fetch", () => Promise.resolve(listed([1, 49, 2, 50], null)));
    expect(await visibleExtent()).toEqual([1, 49, 2, 50]);
  });

  it("is the world when nobody can say", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("network")));
    expect(await visibleExtent()).toBeNull();
  });
});
