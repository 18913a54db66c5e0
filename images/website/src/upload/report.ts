/** The final table: the client's own results and what the server decided later (too close to the previous picture). */
import type { UploadedFile } from "../core/api";
import { reasonFrom, type Reason } from "./outcome";
import type { Entry } from "./queue";

export interface Row {
  name: string;
  path: string;
  accepted: boolean;
  reason: Reason | null;
}

/** Files that were never sent come last. `server` is what GET /upload_sets/ID/files says. */
export function rows(entries: readonly Entry[], server: readonly UploadedFile[], skipped: readonly string[]): Row[] {
  const byName = new Map(server.map((file) => [file.file_name, file]));
  const sent = entries.map((entry): Row => {
    const rejected = byName.get(entry.name)?.rejected;
    const base = { name: entry.name, path: entry.path };
    if (entry.reason) return { ...base, accepted: false, reason: entry.reason };
    if (!rejected) return { ...base, accepted: true, reason: null };
    const body = { ...(rejected.message ? { message: rejected.message } : {}), details: rejected.details ?? null };
    return { ...base, accepted: false, reason: reasonFrom(rejected.reason, body) };
  });
  const left = skipped.map((path): Row => ({ name: path, path, accepted: false, reason: { code: "not_jpeg" } }));
  return [...sent, ...left];
}

const cell = (text: string): string => `"${text.replace(/"/g, '""').replace(/^(?=[=+\-@\t\r])/, "'")}"`;

/** The table as CSV, which spreadsheets open; a cell that a spreadsheet would take for a formula is quoted. */
export function csv(head: readonly string[], lines: readonly (readonly string[])[]): string {
  return [head, ...lines].map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
}
