/** What a person has chosen so far, before it is an upload: pictures that are being checked, and the rest. */
import type { Checker } from "./check";
import { sorted, type Found } from "./collect";
import type { Handle } from "./handles";
import { flatten, isPicture } from "./names";
import { newEntry, type Entry } from "./queue";

export class Selection {
  entries: Entry[] = [];
  skipped: string[] = [];
  handles: Handle[] = [];
  #withoutHandle = false;

  /** @param handles ways back to what was found; [] if the browser has none, and then there is none for the others */
  add(found: readonly Found[], handles: readonly Handle[], checker: Checker): void {
    const known = new Set([...this.entries.map((one) => one.path), ...this.skipped]);
    const fresh = sorted(found.filter((one) => !known.has(one.path)));
    const pictures = fresh.filter((one) => isPicture(one.path));
    const entries = pictures.map((one): Entry => ({ ...newEntry(one.path, one.path, one.file), state: "checking" }));
    const collator = new Intl.Collator("en", { numeric: true });
    this.entries = [...this.entries, ...entries].sort((a, b) => collator.compare(a.path, b.path));
    this.skipped = [...this.skipped, ...fresh.filter((one) => !isPicture(one.path)).map((one) => one.path)];
    this.#withoutHandle ||= pictures.length > 0 && handles.length === 0;
    this.handles = this.#withoutHandle ? [] : [...this.handles, ...handles];
    for (const entry of entries) checker.add(entry);
  }

  /** Gives each entry the name under which it is sent. */
  settleNames(): void {
    const names = flatten(this.entries.map((one) => one.path));
    this.entries.forEach((entry, index) => (entry.name = names[index] ?? entry.path));
  }

  get checking(): number {
    return this.entries.filter((entry) => entry.state === "checking").length;
  }

  get rejected(): Entry[] {
    return this.entries.filter((entry) => entry.state === "rejected");
  }

  /** Pictures that will be sent, as far as one knows by now. */
  get good(): Entry[] {
    return this.entries.filter((entry) => entry.state !== "rejected");
  }

  folders(): string[] {
    return [...new Set(this.entries.map((one) => one.path.split("/").at(-2) ?? ""))].filter(Boolean);
  }
}
