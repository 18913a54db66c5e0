/* eslint-disable @typescript-eslint/no-non-null-assertion -- indices below are within their arrays */
/**
 * MD5 (RFC 1321), because the API knows files by it and the browser's own cryptography does not offer it.
 * Used to recognise files, never to protect anything.
 */

const TURNS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
const SHIFTS = Int32Array.from({ length: 64 }, (_one, step) => TURNS[((step >> 4) << 2) | (step & 3)] ?? 0);
const SINES = Int32Array.from({ length: 64 }, (_one, index) => Math.floor(Math.abs(Math.sin(index + 1)) * 2 ** 32));
const BLOCK = 64;

export class Md5 {
  #a = 0x67452301;
  #b = 0xefcdab89 | 0;
  #c = 0x98badcfe | 0;
  #d = 0x10325476;
  #length = 0;
  readonly #rest = new Uint8Array(BLOCK);
  readonly #words = new Int32Array(16);

  /** Takes the next bytes, in pieces of any size. */
  update(bytes: Uint8Array): this {
    const filled = this.#length % BLOCK;
    this.#length += bytes.length;
    let at = 0;
    if (filled > 0) {
      at = Math.min(BLOCK - filled, bytes.length);
      this.#rest.set(bytes.subarray(0, at), filled);
      if (filled + at < BLOCK) return this;
      this.#block(this.#rest, 0);
    }
    for (; at + BLOCK <= bytes.length; at += BLOCK) this.#block(bytes, at);
    this.#rest.set(bytes.subarray(at), 0);
    return this;
  }

  /** The digest as 32 hexadecimal digits; nothing may be added afterwards. */
  hex(): string {
    const bits = this.#length * 8;
    const padding = new Uint8Array((((55 - this.#length) % BLOCK) + BLOCK) % BLOCK + 9);
    padding[0] = 0x80;
    const view = new DataView(padding.buffer);
    view.setUint32(padding.length - 8, bits >>> 0, true);
    view.setUint32(padding.length - 4, Math.floor(bits / 2 ** 32), true);
    this.update(padding);
    const digest = new DataView(new ArrayBuffer(16));
    [this.#a, this.#b, this.#c, this.#d].forEach((word, index) => digest.setInt32(index * 4, word, true));
    return Array.from(new Uint8Array(digest.buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // Plain loops without helpers: this runs for gigabytes, and anything nicer is several times slower.
  #block(bytes: Uint8Array, at: number): void {
    const words = this.#words;
    for (let index = 0, byte = at; index < 16; index += 1, byte += 4) {
      words[index] =
        bytes[byte]! | (bytes[byte + 1]! << 8) | (bytes[byte + 2]! << 16) | (bytes[byte + 3]! << 24);
    }
    let a = this.#a;
    let b = this.#b;
    let c = this.#c;
    let d = this.#d;
    for (let step = 0; step < 64; step += 1) {
      let sum: number;
      if (step < 16) sum = ((b & c) | (~b & d)) + words[step]!;
      else if (step < 32) sum = ((d & b) | (~d & c)) + words[(5 * step + 1) & 15]!;
      else if (step < 48) sum = (b ^ c ^ d) + words[(3 * step + 5) & 15]!;
      else sum = (c ^ (b | ~d)) + words[(7 * step) & 15]!;
      sum = (sum + a + SINES[step]!) | 0;
      const shift = SHIFTS[step]!;
      a = d;
      d = c;
      c = b;
      b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
    }
    this.#a = (this.#a + a) | 0;
    this.#b = (this.#b + b) | 0;
    this.#c = (this.#c + c) | 0;
    this.#d = (this.#d + d) | 0;
  }
}
