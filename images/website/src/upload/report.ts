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

/** Files that were never sent come last. `server`, what GET /upload_sets/ID/files says, has the last word. */
export function rows(entries: readonly Entry[], server: readonly UploadedFile[], skipped: readonly string[]): Row[] {
  const byName = new Map(server.map((file) => [file.file_name, file]));
  const sent = entries.map((entry): Row => {
    const file = byName.get(entry.name);
    const reason = file ? serverReason(file) : entry.reason;
    return { name: entry.name, path: entry.path, accepted: reason === null, reason };
  });
  const left = skipped.map((path): Row => ({ name: path, path, accepted: false, reason: { code: "not_jpeg" } }));
  return [...sent, ...left];
}

/** Why the server does not keep a file; null if it does. */
export function serverReason({ rejected }: UploadedFile): Reason | null {
  if (!rejected) return null;
  const body = { ...(rejected.message ? { message: rejected.message } : {}), details: rejected.details ?? null };
  return reasonFrom(rejected.reason, body);
}

const cell = (text: string): string => `"${text.replace(/"/g, '""').replace(/^(?=[=+\-@\t\r])/, "'")}"`;

/** The table as CSV, which spreadsheets open; a cell that a spreadsheet would take for a formula is quoted. */
export function csv(head: readonly string[], lines: readonly (readonly string[])[]): string {
  return [head, ...lines].map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
}
