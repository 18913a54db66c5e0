/**
 * Packs pictures into one ZIP file for the download. JPEG files do not get smaller, so they are stored as they are.
 * Written after the published description of the format (APPNOTE); without its 64-bit extension, so up to 4 GB.
 */

const TABLE = Uint32Array.from({ length: 256 }, (_none, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

export function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = (TABLE[(sum ^ byte) & 0xff] ?? 0) ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

/** More would need the format's 64-bit extension, and much of the browser's memory. */
export const MOST_BYTES = 2e9;
export const MOST_FILES = 1000;

interface Entry {
  name: Uint8Array<ArrayBuffer>;
  sum: number;
  size: number;
  offset: number;
}

/** Little-endian numbers of the given widths in bytes (2 or 4). */
function numbers(...values: [value: number, bytes: 2 | 4][]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(values.reduce((sum, [, bytes]) => sum + bytes, 0)));
  let at = 0;
  for (const [value, bytes] of values) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += bytes;
  }
  return new Uint8Array(view.buffer);
}

export class Zip {
  private readonly parts: BlobPart[] = [];
  private readonly entries: Entry[] = [];
  private readonly names = new Set<string>();
  size = 0;

  /** Adds a file; a name that is there already gets a number. */
  add(wanted: string, bytes: Uint8Array<ArrayBuffer>): void {
    const [, stem = wanted, ending = ""] = /^(.*?)(\.[^.]*)?$/s.exec(wanted) ?? [];
    let unique = wanted;
    for (let count = 2; this.names.has(unique); count += 1) unique = `${stem}-${count}${ending}`;
    this.names.add(unique);
    const entry = { name: new TextEncoder().encode(unique), sum: crc32(bytes), size: bytes.length, offset: this.size };
    this.entries.push(entry);
    this.put(numbers([0x04034b50, 4], ...Zip.common(entry), [entry.name.length, 2], [0, 2]), entry.name, new Blob([bytes]));
  }

  /** The whole file; nothing can be added afterwards. */
  close(): Blob {
    const start = this.size;
    for (const entry of this.entries) {
      const head = numbers([0x02014b50, 4], [20, 2], ...Zip.common(entry), [entry.name.length, 2], [0, 4], [0, 4], [0, 4], [entry.offset, 4]);
      this.put(head, entry.name);
    }
    const count = this.entries.length;
    this.put(numbers([0x06054b50, 4], [0, 4], [count, 2], [count, 2], [this.size - start, 4], [start, 4], [0, 2]));
    return new Blob(this.parts, { type: "application/zip" });
  }

  /** What both headers of a file have: version 2.0, names in UTF-8, stored, no time (1 January 1980). */
  private static common(entry: Entry): [number, 2 | 4][] {
    return [[20, 2], [0x0800, 2], [0, 2], [0, 2], [0x21, 2], [entry.sum, 4], [entry.size, 4], [entry.size, 4]];
  }

  private put(...parts: (Uint8Array<ArrayBuffer> | Blob)[]): void {
    for (const part of parts) this.size += part instanceof Blob ? part.size : part.length;
    this.parts.push(...parts);
  }
}
