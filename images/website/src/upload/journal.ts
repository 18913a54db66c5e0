/**
 * Remembers uploads in the browser (IndexedDB), so that one goes on where it stopped after a reload, a crash or a day.
 * Kept are names, sizes and states, and where the browser has them handles to the files; never the pictures themselves.
 * A browser without a store (some private windows) uploads all the same, and forgets.
 */
import type { Handle } from "./handles";
import type { Entry } from "./queue";

export interface Upload {
  /** Identifier of the upload set. */
  id: string;
  /** Whose it is: browsers are shared. */
  user: string;
  title: string;
  /** When it was begun, in milliseconds since 1970. */
  begun: number;
  files: number;
  /** Paths that were left out at once, as they are no pictures. */
  skipped: string[];
  /** What was chosen or dropped, where the browser lets a page come back to it. */
  handles: Handle[];
}

interface Kept {
  upload: string;
  name: string;
  entry: Omit<Entry, "file"> & { file: undefined };
}

const NAME = "share-photos";
const [UPLOADS, FILES] = ["uploads", "files"];

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("the browser's store failed")));
  });
}

export class Journal {
  readonly #database: IDBDatabase | null;

  private constructor(database: IDBDatabase | null) {
    this.#database = database;
  }

  static async open(factory: IDBFactory = indexedDB): Promise<Journal> {
    try {
      const request = factory.open(NAME, 1);
      request.addEventListener("upgradeneeded", () => {
        request.result.createObjectStore(UPLOADS, { keyPath: "id" });
        request.result.createObjectStore(FILES, { keyPath: ["upload", "name"] });
      });
      const database = await done(request);
      // Another page with a newer version of this site must not wait for this one.
      database.addEventListener("versionchange", () => database.close());
      return new Journal(database);
    } catch (error) {
      console.warn(error);
      return new Journal(null);
    }
  }

  async begin(upload: Upload, entries: readonly Entry[]): Promise<void> {
    await this.#write((store) => {
      // Some handles cannot be kept; then the person chooses the files again.
      try {
        store(UPLOADS).put(upload);
      } catch {
        store(UPLOADS).put({ ...upload, handles: [] });
      }
      for (const entry of entries) store(FILES).put(kept(upload.id, entry));
    });
  }

  /** Notes the state of an entry; called often, and never waited for. */
  note(upload: string, entry: Entry): void {
    this.#write((store) => store(FILES).put(kept(upload, entry))).catch(console.warn);
  }

  /** Uploads of this person that are not over, newest first. */
  async unfinished(user: string): Promise<Upload[]> {
    const all = await this.#read<Upload>(UPLOADS);
    return all.filter((one) => one.user === user).sort((a, b) => b.begun - a.begun);
  }

  /** The entries of an upload in their order, without their files. What was being sent may or may not have arrived. */
  async entries(upload: string): Promise<Entry[]> {
    const all = await this.#read<Kept>(FILES, IDBKeyRange.bound([upload], [upload, []]));
    const collator = new Intl.Collator("en", { numeric: true });
    return all
      .map((one): Entry => ({ ...one.entry, ...interrupted(one.entry), file: null, sent: 0 }))
      .sort((a, b) => collator.compare(a.path, b.path));
  }

  async forget(upload: string): Promise<void> {
    await this.#write((store) => {
      store(UPLOADS).delete(upload);
      store(FILES).delete(IDBKeyRange.bound([upload], [upload, []]));
    });
  }

  #write(change: (store: (name: string) => IDBObjectStore) => void): Promise<void> {
    if (!this.#database) return Promise.resolve();
    const transaction = this.#database.transaction([UPLOADS, FILES], "readwrite");
    return new Promise((resolve, reject) => {
      transaction.addEventListener("complete", () => resolve());
      for (const event of ["error", "abort"]) {
        transaction.addEventListener(event, () => reject(transaction.error ?? new Error("the browser's store failed")));
      }
      change((name) => transaction.objectStore(name));
    });
  }

  async #read<T>(name: string, range?: IDBKeyRange): Promise<T[]> {
    if (!this.#database) return [];
    return done(this.#database.transaction(name).objectStore(name).getAll(range) as IDBRequest<T[]>);
  }
}

/** A file that was on its way counts as tried once: the API saying that it has it then means that it arrived. */
function interrupted({ state, attempts }: Pick<Entry, "state" | "attempts">): Pick<Entry, "state" | "attempts"> {
  if (state === "accepted" || state === "rejected") return { state, attempts };
  return { state: "checking", attempts: state === "sending" ? attempts + 1 : attempts };
}

function kept(upload: string, entry: Entry): Kept {
  return { upload, name: entry.name, entry: { ...entry, file: undefined } };
}
