import { describe, expect, it } from "vitest";
import { newEntry, type Entry } from "../src/upload/queue";
import { attach, leaveOut, missing, reconcile } from "../src/upload/resume";

const file = (name: string, text = name, lastModified = 1000): File => new File([text], name, { lastModified });
/** An entry as the browser's store gives it back. */
const kept = (path: string, state: Entry["state"] = "checking", md5: string | null = null): Entry => ({
  ...newEntry(path, path.replaceAll("/", "_"), file(path.split("/").at(-1) ?? "")),
  file: null,
  state,
  md5,
});

describe("reconcile", () => {
  it("takes the server's word for what arrived and what was refused", () => {
    const all = [kept("a.jpg"), kept("b.jpg", "accepted"), kept("c.jpg"), kept("d.jpg")];
    reconcile(all, [
      { file_name: "a.jpg", picture_id: "1" },
      { file_name: "c.jpg", rejected: { reason: "file_duplicate" } },
    ]);
    expect(all.map((one) => one.state)).toEqual(["accepted", "checking", "rejected", "checking"]);
    expect(all[0]?.pictureId).toBe("1");
    expect(all[2]?.reason?.code).toBe("file_duplicate");
  });
});

describe("attach", () => {
  it("finds the same folder again, and sends what was checked without a second look", () => {
    const all = [kept("DCIM/100GOPRO/G1.JPG", "checking", "m"), kept("DCIM/101GOPRO/G1.JPG"), kept("DCIM/x.jpg", "accepted")];
    const found = ["DCIM/101GOPRO/G1.JPG", "DCIM/100GOPRO/G1.JPG", "DCIM/x.jpg"].map((path) => ({
      path,
      file: file(path.split("/").at(-1) ?? ""),
    }));
    expect(attach(all, found)).toBe(2);
    expect(all.map((one) => one.file)).toEqual([found[1]?.file, found[0]?.file, null]);
    expect(all.map((one) => one.state)).toEqual(["waiting", "checking", "accepted"]);
  });

  it("also when only the sub-folder was chosen, or the copy has another date", () => {
    const all = [kept("DCIM/100GOPRO/G1.JPG", "checking", "m"), kept("DCIM/100GOPRO/G2.JPG", "checking", "m")];
    const found = [
      { path: "100GOPRO/G1.JPG", file: file("G1.JPG") },
      { path: "100GOPRO/G2.JPG", file: file("G2.JPG", "G2.JPG", 5000) },
    ];
    expect(attach(all, found)).toBe(2);
    // Another date: it is looked at again.
    expect(all.map((one) => [one.state, one.md5])).toEqual([["waiting", "m"], ["checking", null]]);
  });

  it("does not take another picture for it", () => {
    const all = [kept("a.jpg")];
    expect(attach(all, [{ path: "a.jpg", file: file("a.jpg", "of another length") }])).toBe(0);
    leaveOut(all);
    expect(missing(all)).toEqual([]);
    expect(all[0]?.reason?.code).toBe("left_out");
  });
});
