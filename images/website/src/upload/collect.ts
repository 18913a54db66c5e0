/** Collects the files that a person chose or dropped, folders with all their sub-folders. */

export interface Found {
  /** Path below what was chosen, for example `DCIM/100GOPRO/GOPR0001.JPG`. */
  path: string;
  file: File;
}

/** The files of an `<input type=file>`, with their paths where a folder was chosen. */
export function fromInput(files: Iterable<File>): Found[] {
  return Array.from(files, (file) => ({ path: file.webkitRelativePath || file.name, file }));
}

function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  // A reader hands out batches of about 100 and says "no more" with an empty one.
  return new Promise((resolve, reject) => {
    const next = (): void =>
      reader.readEntries((batch) => {
        if (batch.length === 0) {
          resolve(all);
          return;
        }
        all.push(...batch);
        next();
      }, reject);
    next();
  });
}

async function walk(entry: FileSystemEntry): Promise<Found[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ path: entry.fullPath.replace(/^\//, ""), file }];
  }
  const inside = await entriesOf(entry as FileSystemDirectoryEntry);
  const found: Found[] = [];
  for (const one of inside) found.push(...(await walk(one)));
  return found;
}

/** The files of a drop. Must be called in the event's own turn: the list of items is empty afterwards. */
export async function fromDrop(data: DataTransfer): Promise<Found[]> {
  const entries = Array.from(data.items, (item) => (item.kind === "file" ? item.webkitGetAsEntry() : null));
  const loose = fromInput(data.files);
  if (!entries.some((entry) => entry)) return loose;
  const found: Found[] = [];
  for (const entry of entries) if (entry) found.push(...(await walk(entry)));
  return found;
}

/** By path, numbers by value, so that GOPR2 comes before GOPR10. */
export function sorted(found: readonly Found[]): Found[] {
  const collator = new Intl.Collator("en", { numeric: true });
  return found.toSorted((a, b) => collator.compare(a.path, b.path));
}
