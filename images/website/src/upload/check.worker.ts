/** Looks at files beside the page's own work: what they lack, and their MD5. One file at a time, in pieces. */
import { HEAD_BYTES, readHead } from "./exif";
import { Md5 } from "./md5";
import type { ReasonCode } from "./outcome";

export interface Question {
  number: number;
  file: File;
}

/** `reason` if the file must not be sent; `md5` otherwise. `unreadable` when the disk did not give it. */
export interface Finding {
  number: number;
  reason: ReasonCode | null;
  md5: string;
}

const PIECE = 4 * 1024 * 1024;

async function bytes(file: File, from: number, to: number): Promise<Uint8Array> {
  return new Uint8Array(await file.slice(from, to).arrayBuffer());
}

async function look(file: File): Promise<Omit<Finding, "number">> {
  const head = readHead(await bytes(file, 0, HEAD_BYTES));
  if (!head.jpeg) return { reason: "not_jpeg", md5: "" };
  if (!head.location) return { reason: head.date ? "no_location" : "no_location_no_date", md5: "" };
  if (!head.date) return { reason: "no_date", md5: "" };
  const md5 = new Md5();
  for (let from = 0; from < file.size; from += PIECE) md5.update(await bytes(file, from, from + PIECE));
  return { reason: null, md5: md5.hex() };
}

self.addEventListener("message", (event: MessageEvent<Question>) => {
  const { number, file } = event.data;
  look(file).then(
    (found) => self.postMessage({ number, ...found } satisfies Finding),
    () => self.postMessage({ number, reason: "unreadable", md5: "" } satisfies Finding),
  );
});
