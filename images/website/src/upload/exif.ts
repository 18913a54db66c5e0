/**
 * Looks into the head of a JPEG for what the API insists on: a place and a date. It follows the API's own reader
 * (geopic_tag_reader 1.x): EXIF first, then XMP, then the JSON that some apps leave in the description.
 * Where it cannot be sure it says yes: then the server judges.
 */

export interface Head {
  jpeg: boolean;
  location: boolean;
  date: boolean;
}

/** Bytes of a file that have to be read: EXIF and XMP may each fill a segment of 64 kB. */
export const HEAD_BYTES = 256 * 1024;

const SURE_OF_NOTHING: Head = { jpeg: true, location: true, date: true };
const XMP = "http://ns.adobe.com/xap/1.0/";
const TYPE_SIZES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];
const [ASCII, RATIONAL] = [2, 5];

const latin = new TextDecoder("latin1");

/** One tag of a directory: where its value lies, and what it is. */
interface Tag {
  type: number;
  count: number;
  at: number;
}

class Tiff {
  readonly #little: boolean;

  constructor(readonly view: DataView) {
    this.#little = view.getUint16(0) === 0x4949;
  }

  first(): number {
    return this.#long(4);
  }

  directory(start: number): Map<number, Tag> {
    const tags = new Map<number, Tag>();
    if (start === 0) return tags;
    const count = this.#short(start);
    for (let index = 0; index < count; index += 1) {
      const entry = start + 2 + index * 12;
      const [type, values] = [this.#short(entry + 2), this.#long(entry + 4)];
      const inline = (TYPE_SIZES[type] ?? 1) * values <= 4;
      tags.set(this.#short(entry), { type, count: values, at: inline ? entry + 8 : this.#long(entry + 8) });
    }
    return tags;
  }

  pointer(tag: Tag | undefined): number {
    return tag ? this.#long(tag.at) : 0;
  }

  text(tag: Tag | undefined): string {
    if (tag?.type !== ASCII) return "";
    return latin.decode(new Uint8Array(this.view.buffer, this.view.byteOffset + tag.at, tag.count)).replace(/\0+$/, "");
  }

  /** Whether the tag is this many fractions, none of them divided by nothing (what cameras write without a signal). */
  fractions(tag: Tag | undefined, count: number): boolean {
    if (tag === undefined || tag.type !== RATIONAL || tag.count !== count) return false;
    return Array.from({ length: count }, (_one, index) => this.#long(tag.at + index * 8 + 4)).every((below) => below !== 0);
  }

  #short(at: number): number {
    return this.view.getUint16(at, this.#little);
  }

  #long(at: number): number {
    return this.view.getUint32(at, this.#little);
  }
}

/** `2026:05:04 10:00:00`; cameras with an unset clock write zeros or blanks. */
function isDate(text: string): boolean {
  const [, year, month, day] = /^(\d{4})[:-](\d\d)[:-](\d\d)/.exec(text.trim()) ?? [];
  return Number(year) > 0 && Number(month) > 0 && Number(month) <= 12 && Number(day) > 0 && Number(day) <= 31;
}

function readExif(view: DataView): Omit<Head, "jpeg"> {
  const tiff = new Tiff(view);
  const image = tiff.directory(tiff.first());
  const photo = tiff.directory(tiff.pointer(image.get(0x8769)));
  const gps = tiff.directory(tiff.pointer(image.get(0x8825)));
  const description = tiff.text(image.get(0x010e));
  const dates = [photo.get(0x9003), image.get(0x9003), image.get(0x0132)];
  return {
    location: (tiff.fractions(gps.get(2), 3) && tiff.fractions(gps.get(4), 3)) || description.includes("MAPLatitude"),
    date:
      dates.some((tag) => isDate(tiff.text(tag))) || isDate(tiff.text(gps.get(29))) || description.includes("MAPGpsTime"),
  };
}

/** The segments of a JPEG before its image data: marker and content. Null if the head ends before they do. */
function segments(bytes: Uint8Array): { marker: number; content: Uint8Array }[] | null {
  const found = [];
  for (let at = 2; ; ) {
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at += 1;
    const marker = bytes[at + 1];
    if (marker === undefined || bytes[at] !== 0xff) return null;
    if (marker === 0xda || marker === 0xd9) return found;
    const length = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
    if (length < 2 || at + 2 + length > bytes.length) return null;
    found.push({ marker, content: bytes.subarray(at + 4, at + 2 + length) });
    at += 2 + length;
  }
}

/** @param bytes the first `HEAD_BYTES` of the file, or all of a smaller one */
export function readHead(bytes: Uint8Array): Head {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8 || bytes[2] !== 0xff) return { jpeg: false, location: false, date: false };
  const all = segments(bytes);
  if (all === null) return SURE_OF_NOTHING;
  const head: Head = { jpeg: true, location: false, date: false };
  for (const { marker, content } of all) {
    if (marker !== 0xe1) continue;
    const start = latin.decode(content.subarray(0, XMP.length));
    if (start.startsWith("Exif\0\0")) {
      try {
        const exif = readExif(new DataView(content.buffer, content.byteOffset + 6, content.length - 6));
        head.location ||= exif.location;
        head.date ||= exif.date;
      } catch {
        return SURE_OF_NOTHING;
      }
    } else if (start === XMP) {
      const text = latin.decode(content);
      head.location ||= /GPSLatitude/.test(text) && /GPSLongitude/.test(text);
      head.date ||= /DateTimeOriginal|SourceImageCreateTime|GPSDateStamp|GPSDateTime|GPSTimeStamp/.test(text);
    }
  }
  return head;
}
