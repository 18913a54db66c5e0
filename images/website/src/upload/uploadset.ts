/** The life of an upload on the server: created, filled, completed, then blurred and sorted into sequences. */
import { ApiError, call, link, type Link, type UploadedFile, type UploadSet } from "../core/api";

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

/** Begins an upload. Where the answer was lost on the way, the upload that was made all the same is taken. */
export async function create(request: Request): Promise<UploadSet> {
  try {
    return await ask(request);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 0) throw error;
  }
  const made = (await patiently(open)).find((set) => set.title === request.title && set.nb_items === 0);
  return made ?? ask(request);
}

function ask({ title, files, visibility, transport }: Request): Promise<UploadSet> {
  const semantics = transport ? [{ key: "transport", value: transport }] : [];
  return call<UploadSet>("/upload_sets", {
    method: "POST",
    json: { title, estimated_nb_files: files, visibility, sort_method: "time-asc", semantics },
  });
}

export function complete(id: string): Promise<UploadSet> {
  return patiently(() => call<UploadSet>(`/upload_sets/${id}/complete`, { method: "POST" }));
}

/** Removes an upload with its pictures. One that is gone already is fine. */
export async function remove(id: string): Promise<void> {
  try {
    await patiently(() => call(`/upload_sets/${id}`, { method: "DELETE" }));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  }
}

/** Uploads of one's own that were not ended, wherever they were begun. */
export async function open(): Promise<UploadSet[]> {
  const answer = await call<{ upload_sets: UploadSet[] }>("/users/me/upload_sets?limit=100");
  return answer.upload_sets.filter((set) => !set.completed);
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

/** Asks again, every two seconds at first and then every five, while the server cannot be reached. */
async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  for (let asked = 0; ; asked += 1) {
    try {
      return await attempt();
    } catch (error) {
      const away = error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500);
      if (!away) throw error;
    }
    await pause(asked < 15 ? 2000 : 5000);
  }
}

/**
 * Asks until everything is blurred; every two seconds at first, later every five.
 * @throws ApiError when the server refuses, SignedOutError when the session ended
 */
export async function follow(id: string, onState: (set: UploadSet) => void): Promise<UploadSet> {
  for (let asked = 0; ; asked += 1) {
    const set = await patiently(() => call<UploadSet>(`/upload_sets/${id}`));
    onState(set);
    if (finished(set)) return set;
    await pause(asked < 15 ? 2000 : 5000);
  }
}

/** The server's list of the files it received, all pages of it. */
export async function files(id: string): Promise<UploadedFile[]> {
  const all: UploadedFile[] = [];
  let next: string | undefined = `/upload_sets/${id}/files`;
  while (next) {
    const address = next;
    const page = await patiently(() => call<{ files: UploadedFile[]; links?: Link[] }>(address));
    all.push(...page.files);
    next = link(page.links ?? [], "next");
  }
  return all;
}
