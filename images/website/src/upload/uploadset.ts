/** The life of an upload on the server: created, filled, completed, then blurred and sorted into sequences. */
import { ApiError, call, link, SignedOutError, type Link, type UploadedFile, type UploadSet } from "../core/api";

/** What this instance offers; "anyone" is refused by it and never offered. */
export const VISIBILITIES = ["logged-only", "owner-only"] as const;
/** Values of the tag `transport` that is put on the sequences. */
export const TRANSPORTS = ["car", "bicycle", "foot", "motorcycle", "train", "boat"] as const;

export interface Request {
  title: string;
  files: number;
  visibility: (typeof VISIBILITIES)[number];
  transport: (typeof TRANSPORTS)[number] | "";
}

export function create({ title, files, visibility, transport }: Request): Promise<UploadSet> {
  const semantics = transport ? [{ key: "transport", value: transport }] : [];
  return call<UploadSet>("/upload_sets", {
    method: "POST",
    json: { title, estimated_nb_files: files, visibility, sort_method: "time-asc", semantics },
  });
}

export function complete(id: string): Promise<UploadSet> {
  return call<UploadSet>(`/upload_sets/${id}/complete`, { method: "POST" });
}

/** Files whose pictures the server has not finished yet. */
export function pending(set: UploadSet): number {
  const status = set.items_status;
  return status ? status.preparing + status.not_processed : set.nb_items;
}

export function prepared(set: UploadSet): number {
  return set.items_status ? set.items_status.prepared + set.items_status.broken : 0;
}

/** All pictures are through and sorted into sequences. `ready` alone is also said of a set whose pictures all failed. */
export function finished(set: UploadSet): boolean {
  return set.ready || (set.completed && set.dispatched && pending(set) === 0);
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Asks until everything is blurred; every two seconds at first, later every five. A server that is away for a while is
 * asked again.
 * @throws ApiError when the server refuses, SignedOutError when the session ended
 */
export async function follow(id: string, onState: (set: UploadSet) => void): Promise<UploadSet> {
  for (let asked = 0; ; asked += 1) {
    try {
      const set = await call<UploadSet>(`/upload_sets/${id}`);
      onState(set);
      if (finished(set)) return set;
    } catch (error) {
      const away = error instanceof ApiError && (error.status === 0 || error.status >= 500);
      if (error instanceof SignedOutError || !away) throw error;
    }
    await pause(asked < 15 ? 2000 : 5000);
  }
}

/** The server's list of the files it received, all pages of it. */
export async function files(id: string): Promise<UploadedFile[]> {
  const all: UploadedFile[] = [];
  let next: string | undefined = `/upload_sets/${id}/files`;
  while (next) {
    const page: { files: UploadedFile[]; links?: Link[] } = await call(next);
    all.push(...page.files);
    next = link(page.links ?? [], "next");
  }
  return all;
}
