import { describe, expect, it } from "vitest";
import { flatten, isPicture, suggestTitle } from "../src/upload/names";

describe("flatten", () => {
  it("keeps files of the camera's folders apart", () => {
    expect(flatten(["DCIM/100GOPRO/GOPR0001.JPG", "DCIM/101GOPRO/GOPR0001.JPG"])).toEqual([
      "100GOPRO_GOPR0001.JPG",
      "101GOPRO_GOPR0001.JPG",
    ]);
  });

  it("leaves loose files their names", () => {
    expect(flatten(["a.jpg", "b.jpg"])).toEqual(["a.jpg", "b.jpg"]);
  });

  it("takes more of the path only where two would collide", () => {
    expect(flatten(["monday/100GOPRO/1.jpg", "tuesday/100GOPRO/1.jpg", "tuesday/100GOPRO/2.jpg"])).toEqual([
      "monday_100GOPRO_1.jpg",
      "tuesday_100GOPRO_1.jpg",
      "100GOPRO_2.jpg",
    ]);
  });

  it("numbers what no path can tell apart", () => {
    expect(flatten(["a.jpg", "A.JPG", "a.jpg"])).toEqual(["a.jpg", "A-2.JPG", "a-3.jpg"]);
  });

  it("does not let a joined name meet another file's own name", () => {
    const names = flatten(["x/a_b.jpg", "x_a/b.jpg", "x_a_b.jpg"]);
    expect(new Set(names).size).toBe(3);
  });

  it("gives 3,000 files unique names in no time, the same ones each time", () => {
    const paths = Array.from({ length: 3000 }, (_one, index) => `card/DCIM/${100 + (index % 3)}GOPRO/G${Math.floor(index / 3)}.JPG`);
    const names = flatten(paths);
    expect(new Set(names).size).toBe(3000);
    expect(flatten(paths)).toEqual(names);
  });

  it("never passes on a way out of the folder", () => {
    expect(flatten(["../../etc/x.jpg"])).toEqual(["etc_x.jpg"]);
  });
});

describe("isPicture", () => {
  it.each(["a.jpg", "DCIM/100GOPRO/G.JPG", "b.JPeG"])("takes %s", (path) => expect(isPicture(path)).toBe(true));
  it.each(["a.THM", "a.LRV", "a.mp4", "a.png", "dir.jpg/readme", "dir/._a.jpg", "jpg"])("leaves %s out", (path) =>
    expect(isPicture(path)).toBe(false),
  );
});

describe("suggestTitle", () => {
  const day = new Date("2026-05-04T10:00:00Z");
  it("uses a folder that a person named", () => {
    expect(suggestTitle(["Rue des Lilas/100GOPRO/a.jpg"], day, "en-GB")).toBe("Rue des Lilas");
  });
  it("uses the day where there are only the camera's folders", () => {
    expect(suggestTitle(["DCIM/100GOPRO/a.jpg"], day, "en-GB")).toBe("4 May 2026");
    expect(suggestTitle(["a.jpg"], day, "en-GB")).toBe("4 May 2026");
  });
});
