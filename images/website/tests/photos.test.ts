import { describe, expect, it } from "vitest";
import type { SequenceLink } from "../src/core/api";
import { several } from "../src/core/several";
import { dayIn, describe as describeToken, tokenEnd, tokenName } from "../src/core/token";
import { dots } from "../src/photos/marks";
import { arrange, page, row, SORTS, type Row, type Wanted } from "../src/photos/rows";
import { photo } from "../src/sequence/photos";
import { extent } from "../src/sequence/track";
import { crc32, Zip } from "../src/sequence/zip";

const made = (changes: Partial<Row>): Row => ({
  id: "1", title: "a", uploaded: "2026-11-01T00:00:00Z", shot: "2026-10-01T10:00:00Z", shotUntil: "2026-10-01T11:00:00Z",
  photos: 1, kilometres: 1, visibility: "logged-only", ready: true, box: null, ...changes,
});
const wanted = (changes: Partial<Wanted> = {}): Wanted => ({ from: "", until: "", visibility: "", sort: "uploaded", descending: true, ...changes });
const titles = (rows: Row[]): string => rows.map((one) => one.title).join("");

describe("My Photos", () => {
  it("reads a row with everything missing that may be", () => {
    const link: SequenceLink = {
      rel: "child", href: "", id: "1", title: "t", created: "2026-01-01T00:00:00Z", extent: { temporal: { interval: [[null, null]] } },
      "stats:items": { count: 3 }, "geovisio:status": "preparing",
    };
    expect(row(link)).toEqual({
      id: "1", title: "t", uploaded: "2026-01-01T00:00:00Z", shot: "", shotUntil: "", photos: 3, kilometres: 0, visibility: "", ready: false, box: null,
    });
  });
  const rows = [
    made({ title: "b10", photos: 5, shot: "2026-09-30T23:00:00Z", shotUntil: "2026-10-01T01:00:00Z" }),
    made({ title: "b9", photos: 70, shot: "2026-10-03T08:00:00Z", shotUntil: "2026-10-03T09:00:00Z", visibility: "owner-only", kilometres: 9 }),
    made({ title: "é", photos: 5, shot: "", shotUntil: "", uploaded: "2026-11-02T00:00:00Z", ready: false }),
  ];
  it("sorts names as people do, numbers as numbers, and equal ones by their upload", () => {
    expect(titles(arrange(rows, wanted({ sort: "title", descending: false }), "en"))).toBe("b9b10é");
    expect(titles(arrange(rows, wanted({ sort: "photos" }), "en"))).toBe("b9éb10");
    for (const sort of SORTS) expect(arrange(rows, wanted({ sort }), "en")).toHaveLength(3);
  });
  it("marks each sequence on the map in its middle, and none that has no place yet", () => {
    expect(dots([made({ id: "here", box: [1, 48, 3, 49] }), made({ id: "nowhere" })])).toEqual({
      type: "FeatureCollection",
      features: [{ type: "Feature", properties: { id: "here" }, geometry: { type: "Point", coordinates: [2, 48.5] } }],
    });
  });
  it("filters by whole days, both included, and by visibility", () => {
    expect(titles(arrange(rows, wanted({ from: "2026-10-01", until: "2026-10-02" }), "en"))).toBe("b10");
    expect(titles(arrange(rows, wanted({ from: "2026-10-03" }), "en"))).toBe("b9");
    expect(titles(arrange(rows, wanted({ visibility: "owner-only" }), "en"))).toBe("b9");
  });
  it("has a page for everything, and stays within them", () => {
    expect(page([1, 2, 3], 1, 2)).toEqual({ pages: 2, number: 1, rows: [3] });
    expect(page([1, 2, 3], 9, 2).rows).toEqual([3]);
    expect(page([], 3, 2)).toEqual({ pages: 1, number: 0, rows: [] });
  });
});

describe("several", () => {
  it("goes on after an error, and tells the first", async () => {
    const done: number[] = [];
    const result = await several([1, 2, 3, 4], (n) => (n % 2 ? Promise.reject(new Error(`no ${n}`)) : Promise.resolve()), (n) => done.push(n));
    expect(result.worked).toEqual([2, 4]);
    expect(result.error).toEqual(new Error("no 1"));
    expect(done).toEqual([1, 2, 3, 4]);
  });
});

describe("a photo", () => {
  it("keeps paths of this site only", () => {
    const item = {
      id: "12345678-0000", properties: { datetime: "", "geovisio:visibility": "owner-only" as const },
      assets: { thumb: { href: "https://elsewhere.example/api/pictures/1/thumb.jpg" } },
    };
    expect(photo(item)).toEqual({ id: "12345678-0000", name: "12345678", thumbnail: "/api/pictures/1/thumb.jpg", whole: "", hidden: true, status: "ready", place: null });
    expect(extent([photo(item)])).toBeNull();
    expect(extent([{ ...photo(item), place: [2, 49] }, { ...photo(item), place: [1, 50] }])).toEqual([1, 49, 2, 50]);
  });
});

describe("tokens", () => {
  it("say their end where everybody sees it", () => {
    const token = { id: "1", description: describeToken("QGIS", "2027-01-31"), generated_at: "2026-11-22T10:00:00Z" };
    expect(token.description).toBe("QGIS (until 2027-01-31)");
    expect([tokenName(token), tokenEnd(token)]).toEqual(["QGIS", "2027-01-31"]);
    expect(tokenEnd({ ...token, description: null })).toBe("2027-11-22");
    expect(dayIn(1, Date.parse("2026-12-31T23:00:00Z"))).toBe("2027-01-01");
  });
});

describe("the download", () => {
  it("has the checksum of the ZIP format", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  });
  it("holds every file under a name of its own", async () => {
    const zip = new Zip();
    for (const text of ["one", "two"]) zip.add("ä.jpg", new TextEncoder().encode(text));
    const bytes = new Uint8Array(await zip.close().arrayBuffer());
    const view = new DataView(bytes.buffer);
    const end = bytes.length - 22;
    expect(view.getUint32(end, true)).toBe(0x06054b50);
    expect(view.getUint16(end + 10, true)).toBe(2);
    const directory = view.getUint32(end + 16, true);
    expect(view.getUint32(directory, true)).toBe(0x02014b50);
    expect(directory + view.getUint32(end + 12, true)).toBe(end);
    const text = new TextDecoder().decode(bytes);
    expect(text).toContain("ä.jpgone");
    expect(text).toContain("ä-2.jpgtwo");
  });
});
