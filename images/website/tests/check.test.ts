import { describe, expect, it, vi } from "vitest";
import { ApiError } from "../src/core/api";
import { Checker, type Known, type Looker } from "../src/upload/check";
import { newEntry, type Entry } from "../src/upload/queue";
import { Selection } from "../src/upload/selection";

const entry = (path: string, text = path): Entry => ({ ...newEntry(path, path, new File([text], path)), state: "checking" });
/** Takes a file's text for its digest. */
const look: Looker = async (file) => ({ reason: null, md5: await file.text() });
const none: Known = () => Promise.resolve(new Set());
const settle = (entries: Entry[]): Promise<void> =>
  vi.waitFor(() => expect(entries.some((one) => one.state === "checking")).toBe(false));

describe("Checker", () => {
  it("lets good files go on, and says what is wrong with the others", async () => {
    const all = [entry("a.jpg"), entry("b.jpg", "a.jpg"), entry("c.jpg", "far too large"), entry("d.jpg"), entry("e.jpg")];
    const known = vi.fn<Known>(() => Promise.resolve(new Set(["d.jpg"])));
    const looked: Looker = async (file) => (file.name === "e.jpg" ? { reason: "no_location", md5: "" } : look(file));
    const told = vi.fn();
    const checker = new Checker(looked, known, 10, told, "set");
    for (const one of all) checker.add(one);
    await settle(all);
    expect(all.map((one) => one.reason?.code ?? one.state)).toEqual(["waiting", "twice", "too_large", "file_duplicate", "no_location"]);
    expect(known).toHaveBeenCalledExactlyOnceWith(["a.jpg", "d.jpg"], "set");
    expect(told).toHaveBeenCalledTimes(5);
  });

  it("asks about thousands in a few requests", async () => {
    const all = Array.from({ length: 450 }, (_one, index) => entry(`${index}.jpg`));
    const known = vi.fn<Known>(() => Promise.resolve(new Set()));
    const checker = new Checker(look, known, 100, () => undefined);
    for (const one of all) checker.add(one);
    await settle(all);
    expect(known.mock.calls.map(([md5s]) => md5s.length)).toEqual([200, 200, 50]);
  });

  it("leaves it to the server when it cannot be asked", async () => {
    const all = [entry("a.jpg")];
    const checker = new Checker(look, () => Promise.reject(new ApiError(0, "network")), 100, () => undefined);
    for (const one of all) checker.add(one);
    await settle(all);
    expect(all[0]?.state).toBe("waiting");
  });

  it("knows the files that an interrupted upload has sent already", async () => {
    const sent: Entry = { ...entry("a.jpg"), state: "accepted", md5: "same" };
    const again = entry("b.jpg", "same");
    const checker = new Checker(look, none, 100, () => undefined);
    for (const one of [sent, again]) checker.add(one);
    await settle([again]);
    expect(again.reason).toEqual({ code: "twice", detail: "a.jpg" });
  });
});

describe("Selection", () => {
  const found = (path: string): { path: string; file: File } => ({ path, file: new File([path], path.split("/").at(-1) ?? "") });
  const checker = (): Checker => new Checker(look, none, 100, () => undefined);

  it("puts folders together, without what is there already and what is no picture", () => {
    const selection = new Selection();
    selection.add([found("DCIM/101GOPRO/G1.JPG"), found("DCIM/101GOPRO/G1.LRV")], [], checker());
    selection.add([found("DCIM/100GOPRO/G1.JPG"), found("DCIM/101GOPRO/G1.JPG")], [], checker());
    selection.settleNames();
    expect(selection.entries.map((one) => one.name)).toEqual(["100GOPRO_G1.JPG", "101GOPRO_G1.JPG"]);
    expect(selection.skipped).toEqual(["DCIM/101GOPRO/G1.LRV"]);
    expect(selection.folders()).toEqual(["100GOPRO", "101GOPRO"]);
  });

  it("keeps handles only where they lead back to everything", () => {
    const handle = { kind: "directory", name: "DCIM" } as FileSystemDirectoryHandle;
    const selection = new Selection();
    selection.add([found("DCIM/a.jpg")], [handle], checker());
    expect(selection.handles).toEqual([handle]);
    selection.add([found("b.jpg")], [], checker());
    expect(selection.handles).toEqual([]);
  });
});
