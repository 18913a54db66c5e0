/**
 * Handles to files and folders, by which a page may come back to what a person chose (Chromium only; asked for each
 * time by their presence).
 */
import type { Found } from "./collect";

export type Handle = FileSystemFileHandle | FileSystemDirectoryHandle;

interface WithPermission {
  queryPermission?: (how: { mode: "read" }) => Promise<PermissionState>;
  requestPermission?: (how: { mode: "read" }) => Promise<PermissionState>;
}
interface Pickers {
  showDirectoryPicker?: (how: { id: string; mode: "read" }) => Promise<FileSystemDirectoryHandle>;
  showOpenFilePicker?: (how: object) => Promise<FileSystemFileHandle[]>;
}
type Walkable = FileSystemDirectoryHandle & { values: () => AsyncIterable<Handle> };

const pickers = window as unknown as Pickers;
const JPEG = [{ description: "JPEG", accept: { "image/jpeg": [".jpg", ".jpeg"] as `.${string}`[] } }];

/** The browser's dialog for a folder or for pictures; null where it has none that gives handles, [] if cancelled. */
export function picker(folder: boolean): (() => Promise<Handle[]>) | null {
  const { showDirectoryPicker, showOpenFilePicker } = pickers;
  const cancelled = (error: unknown): Handle[] => {
    if (error instanceof DOMException && error.name === "AbortError") return [];
    throw error;
  };
  if (folder && showDirectoryPicker) {
    return () => showDirectoryPicker.call(window, { id: "photos", mode: "read" }).then((one) => [one], cancelled);
  }
  if (!folder && showOpenFilePicker) {
    return () => showOpenFilePicker.call(window, { id: "photos", multiple: true, types: JPEG }).catch(cancelled);
  }
  return null;
}

/** Handles of what is dropped. Must be called in the event's own turn. Empty where the browser has none. */
export async function dropped(data: DataTransfer): Promise<Handle[]> {
  const items = Array.from(data.items).filter((item) => item.kind === "file");
  const asked = items.map((item) => {
    const one = item as DataTransferItem & { getAsFileSystemHandle?: () => Promise<Handle | null> };
    return one.getAsFileSystemHandle?.().catch(() => null) ?? Promise.resolve(null);
  });
  const found = await Promise.all(asked);
  const handles = found.filter((one) => one !== null);
  return handles.length === items.length ? handles : [];
}

/** Whether the handles may be read; asks the person where needed, so it has to be called on a click. */
export async function allowed(handles: readonly Handle[]): Promise<boolean> {
  for (const handle of handles as readonly WithPermission[]) {
    if ((await handle.queryPermission?.({ mode: "read" })) === "granted") continue;
    if ((await handle.requestPermission?.({ mode: "read" })) !== "granted") return false;
  }
  return handles.length > 0;
}

/** All files behind the handles, sub-folders included, with their paths as `collect` gives them. */
export async function fromHandles(handles: Iterable<Handle> | AsyncIterable<Handle>, above = ""): Promise<Found[]> {
  const found: Found[] = [];
  for await (const handle of handles) {
    const path = `${above}${handle.name}`;
    if (handle.kind === "file") found.push({ path, file: await handle.getFile() });
    else found.push(...(await fromHandles((handle as Walkable).values(), `${path}/`)));
  }
  return found;
}
