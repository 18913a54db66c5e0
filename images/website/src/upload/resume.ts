/** Takes up an upload that was interrupted: what the server has, what the browser noted, and the files at hand. */
import { ApiError, call, type UploadedFile, type UploadSet } from "../core/api";
import type { Found } from "./collect";
import type { Journal, Upload } from "./journal";
import { settled, type Entry } from "./queue";
import { serverReason } from "./report";
import { files } from "./uploadset";

export interface Restored {
  upload: Upload;
  entries: Entry[];
}

/** Puts the server's word over the browser's note, which may be older or newer than the crash. */
export function reconcile(entries: readonly Entry[], server: readonly UploadedFile[]): void {
  const byName = new Map(server.map((file) => [file.file_name, file]));
  for (const entry of entries) {
    const file = byName.get(entry.name);
    if (file) {
      entry.reason = serverReason(file);
      entry.state = entry.reason ? "rejected" : "accepted";
      entry.pictureId = file.picture_id ?? null;
    } else if (entry.state === "accepted") {
      entry.state = "checking";
    }
  }
}

/** @returns null if the upload does not exist on the server any more */
export async function restore(journal: Journal, upload: Upload): Promise<Restored | null> {
  try {
    await call<UploadSet>(`/upload_sets/${upload.id}`);
    const entries = await journal.entries(upload.id);
    reconcile(entries, await files(upload.id));
    return { upload, entries };
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

export function missing(entries: readonly Entry[]): Entry[] {
  return entries.filter((entry) => !settled(entry));
}

const name = (path: string): string => path.split("/").at(-1) ?? "";
const exact = (path: string, size: number, modified: number): string => `${path}|${size}|${modified}`;

/**
 * Gives missing entries their files back: by path, size and date; else by name, size and date, as another folder may have
 * been chosen this time; else by name and size, as copying a file may change its date.
 * @returns how many entries have their file now
 */
export function attach(entries: readonly Entry[], found: readonly Found[]): number {
  const ways: [(entry: Entry) => string, (one: Found) => string][] = [
    [(entry) => exact(entry.path, entry.size, entry.modified), ({ path, file }) => exact(path, file.size, file.lastModified)],
    [(entry) => exact(name(entry.path), entry.size, entry.modified), ({ path, file }) => exact(name(path), file.size, file.lastModified)],
    [(entry) => exact(name(entry.path), entry.size, 0), ({ path, file }) => exact(name(path), file.size, 0)],
  ];
  const used = new Set<Found>();
  for (const [entryKey, foundKey] of ways) {
    const offered = new Map<string, Found[]>();
    for (const one of found) if (!used.has(one)) offered.set(foundKey(one), [...(offered.get(foundKey(one)) ?? []), one]);
    for (const entry of missing(entries)) {
      const one = entry.file ? undefined : offered.get(entryKey(entry))?.shift();
      if (!one) continue;
      used.add(one);
      entry.file = one.file;
      // What was checked already and is the same file needs no second look.
      if (entry.md5 && one.file.lastModified === entry.modified) entry.state = "waiting";
      else entry.md5 = null;
    }
  }
  return missing(entries).filter((entry) => entry.file).length;
}

/** Gives up what has no file: it is said in the final table. */
export function leaveOut(entries: readonly Entry[]): void {
  for (const entry of missing(entries)) {
    if (entry.file) continue;
    entry.state = "rejected";
    entry.reason = { code: "left_out" };
  }
}
