import { describe, expect, it } from "vitest";
import { outcomeOf, reasonFrom, RetryError } from "../src/upload/outcome";
import { newEntry } from "../src/upload/queue";
import { csv, rows } from "../src/upload/report";
import { Speed } from "../src/upload/speed";

const code = (status: number, body: object, attempt = 1): string => {
  const outcome = outcomeOf(status, body, attempt);
  return outcome.kind === "accepted" ? `accepted ${outcome.pictureId ?? ""}` : outcome.reason.code;
};

describe("outcomeOf", () => {
  it("accepts 202", () => expect(code(202, { picture_id: "p1" })).toBe("accepted p1"));
  it.each([408, 429, 500, 502, 503, 504])("retries %d", (status) => expect(() => outcomeOf(status, {}, 1)).toThrow(RetryError));
  it("tells what is missing", () => {
    const missing = (...fields: string[]): string => code(400, { details: { missing_fields: fields } });
    expect(missing("location")).toBe("no_location");
    expect(missing("datetime")).toBe("no_date");
    expect(missing("datetime", "location")).toBe("no_location_no_date");
  });
  it("knows a picture of an earlier upload", () =>
    expect(code(409, { upload_sets: [{ existing_item_id: "x" }] })).toBe("file_duplicate"));
  it("knows the same picture twice in one upload", () => expect(code(409, { existing_item: { id: "x" } })).toBe("twice"));
  it("takes it for accepted when an earlier attempt's answer was lost", () =>
    expect(code(409, { existing_item: { id: "x" } }, 2)).toBe("accepted x"));
  it("knows an equal name", () => expect(code(409, { message: "name" }, 2)).toBe("same_name"));
  it.each([
    [400, "invalid_file"],
    [403, "forbidden"],
    [404, "upload_gone"],
    [413, "too_large"],
    [415, "other_error"],
  ])("maps %d to %s", (status, expected) => expect(code(status, {})).toBe(expected));
});

describe("reasonFrom", () => {
  it("keeps the API's sentence", () =>
    expect(reasonFrom("other_error", { message: "disk full" })).toEqual({ code: "other_error", detail: "disk full" }));
  it("takes an unknown name for an unknown error", () => expect(reasonFrom("brand_new").code).toBe("other_error"));
  it("knows pictures that are too close", () => expect(reasonFrom("capture_duplicate").code).toBe("capture_duplicate"));
});

describe("rows", () => {
  const entry = (name: string): ReturnType<typeof newEntry> => newEntry(`DCIM/${name}`, name, new File([], name));
  it("merges what the browser knows with what the server decided later", () => {
    const [good, close, refused] = [entry("a.jpg"), entry("b.jpg"), entry("c.jpg")] as const;
    refused.reason = { code: "twice" };
    const server = [
      { file_name: "a.jpg", picture_id: "1" },
      { file_name: "b.jpg", rejected: { reason: "capture_duplicate", message: "Too close" } },
    ];
    expect(rows([good, close, refused], server, ["DCIM/x.thm"]).map((row) => row.reason?.code ?? "ok")).toEqual([
      "ok",
      "capture_duplicate",
      "twice",
      "not_jpeg",
    ]);
  });
});

describe("csv", () => {
  it("quotes quotes and defuses formulas", () => {
    expect(csv(["File"], [['a"b'], ["=cmd()"], ["-1"]])).toBe('"File"\r\n"a""b"\r\n"\'=cmd()"\r\n"\'-1"\r\n');
  });
});

describe("Speed", () => {
  it("looks at the last seconds only", () => {
    let now = 0;
    const speed = new Speed(() => now);
    expect(speed.perSecond()).toBe(0);
    for (now = 0; now <= 20_000; now += 1000) speed.note(now < 10_000 ? 0 : (now - 10_000) * 2);
    expect(speed.perSecond()).toBeCloseTo(2000);
  });
  it("is never negative", () => {
    let now = 0;
    const speed = new Speed(() => now);
    speed.note(500);
    now = 1000;
    speed.note(100);
    expect(speed.perSecond()).toBe(0);
  });
});
