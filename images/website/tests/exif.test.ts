import { describe, expect, it } from "vitest";
import { readHead } from "../src/upload/exif";

type Value = string | [number, number][] | number;
type Directory = Record<number, Value>;

const short = (value: number): number[] => [value >> 8, value & 0xff];
const long = (value: number): number[] => [...short(value >>> 16), ...short(value & 0xffff)];

/** A TIFF (big-endian) with three directories, as cameras write them. */
function tiff(image: Directory, photo: Directory, gps: Directory): number[] {
  const out = [0x4d, 0x4d, 0, 42, ...long(8)];
  const write = (directory: Directory): void => {
    const tags = Object.entries(directory);
    let data = out.length + 2 + tags.length * 12 + 4;
    const head = short(tags.length);
    const tail: number[] = [];
    for (const [tag, value] of tags) {
      const raw =
        typeof value === "string"
          ? Array.from(`${value}\0`, (letter) => letter.charCodeAt(0))
          : typeof value === "number"
            ? long(value)
            : value.flatMap(([above, below]) => [...long(above), ...long(below)]);
      const type = typeof value === "string" ? 2 : typeof value === "number" ? 4 : 5;
      const count = type === 2 ? raw.length : type === 4 ? 1 : raw.length / 8;
      head.push(...short(Number(tag)), ...short(type), ...long(count));
      if (raw.length <= 4) head.push(...raw, ...Array<number>(4 - raw.length).fill(0));
      else {
        head.push(...long(data));
        tail.push(...raw);
        data += raw.length;
      }
    }
    out.push(...head, ...long(0), ...tail);
  };
  const size = (directory: Directory): number => {
    const before = out.length;
    write(directory);
    return out.splice(before).length;
  };
  const first = { ...image, [0x8769]: 1, [0x8825]: 1 };
  const photoAt = 8 + size(first);
  const gpsAt = photoAt + size(photo);
  write({ ...image, [0x8769]: photoAt, [0x8825]: gpsAt });
  write(photo);
  write(gps);
  return out;
}

const segment = (marker: number, content: number[]): number[] => [0xff, marker, ...short(content.length + 2), ...content];
const letters = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0));
const jpeg = (...segments: number[][]): Uint8Array =>
  Uint8Array.from([0xff, 0xd8, ...segments.flat(), 0xff, 0xda, 0, 2, 1, 2, 3, 0xff, 0xd9]);
const exif = (image: Directory, photo: Directory = {}, gps: Directory = {}): number[] =>
  segment(0xe1, [...letters("Exif\0\0"), ...tiff(image, photo, gps)]);
const xmp = (text: string): number[] => segment(0xe1, letters(`http://ns.adobe.com/xap/1.0/\0${text}`));

const degrees: [number, number][] = [[49, 1], [0, 1], [2484, 100]];
const place: Directory = { 1: "N", 2: degrees, 3: "E", 4: degrees };
const taken: Directory = { [0x9003]: "2026:05:04 10:00:00" };

describe("readHead", () => {
  it("finds place and date where cameras put them", () => {
    expect(readHead(jpeg(exif({}, taken, place)))).toEqual({ jpeg: true, location: true, date: true });
    expect(readHead(jpeg(exif({ [0x0132]: "2026:05:04 10:00:00" }, {}, place))).date).toBe(true);
    expect(readHead(jpeg(exif({}, {}, { ...place, 29: "2026:05:04" }))).date).toBe(true);
  });

  it("says what is missing", () => {
    expect(readHead(jpeg(exif({}, taken)))).toEqual({ jpeg: true, location: false, date: true });
    expect(readHead(jpeg(exif({}, {}, place)))).toEqual({ jpeg: true, location: true, date: false });
    expect(readHead(jpeg())).toEqual({ jpeg: true, location: false, date: false });
  });

  it("takes no signal and an unset clock for what they are", () => {
    const none: [number, number][] = [[0, 0], [0, 0], [0, 0]];
    expect(readHead(jpeg(exif({}, taken, { 2: none, 4: none }))).location).toBe(false);
    expect(readHead(jpeg(exif({}, { [0x9003]: "0000:00:00 00:00:00" }, place))).date).toBe(false);
  });

  it("looks into XMP and descriptions too", () => {
    const text = '<x exif:GPSLatitude="49,0.4N" exif:GPSLongitude="1,55E" exif:DateTimeOriginal="2026-05-04T10:00:00"/>';
    expect(readHead(jpeg(xmp(text)))).toEqual({ jpeg: true, location: true, date: true });
    const description = '{"MAPLatitude": 49, "MAPLongitude": 1, "MAPGpsTime": "2026_05_04_10_00_00_000"}';
    expect(readHead(jpeg(exif({ [0x010e]: description })))).toEqual({ jpeg: true, location: true, date: true });
  });

  it("leaves it to the server where it cannot read", () => {
    const whole = jpeg(segment(0xe2, Array<number>(500).fill(0)), exif({}, {}, {}));
    expect(readHead(whole.subarray(0, 300))).toEqual({ jpeg: true, location: true, date: true });
    const broken = segment(0xe1, [...letters("Exif\0\0"), 0x4d, 0x4d, 0, 42, ...long(99_999)]);
    expect(readHead(jpeg(broken))).toEqual({ jpeg: true, location: true, date: true });
  });

  it("knows what is no JPEG", () => {
    expect(readHead(Uint8Array.from(letters("\x89PNG"))).jpeg).toBe(false);
    expect(readHead(new Uint8Array()).jpeg).toBe(false);
  });
});
