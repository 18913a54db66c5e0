import { afterEach, describe, expect, it, vi } from "vitest";
import { around, isWithin, visibleExtent } from "../src/core/extent";
import { sequencesIn } from "../src/photos/load";

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

describe("searching in an area", () => {
  afterEach(() => void vi.unstubAllGlobals());

  it("keeps to the area on each page, which the API's links forget", async () => {
    const child = (id: string): object => ({ rel: "child", id, extent: { temporal: { interval: [] } }, "stats:items": { count: 1 } });
    const asked: string[] = [];
    vi.stubGlobal("fetch", (address: string) => {
      asked.push(decodeURIComponent(address));
      const links = asked.length === 1 ? [child("a"), { rel: "next", href: "/api/users/1/collection?page=2" }] : [child("b")];
      return Promise.resolve(new Response(JSON.stringify({ links })));
    });
    expect(await sequencesIn([1, 48, 2, 49], new AbortController().signal)).toEqual(new Set(["a", "b"]));
    expect(asked).toHaveLength(2);
    for (const address of asked) expect(address).toContain("bbox=1.000000,48.000000,2.000000,49.000000");
  });

  it("finds a single photo, which has no line, by where it is", () => {
    expect(isWithin([1.5, 48.5, 1.5, 48.5], [1, 48, 2, 49])).toBe(true);
    expect(isWithin([1.5, 48.5, 2.5, 48.5], [1, 48, 2, 49])).toBe(false);
  });
});
