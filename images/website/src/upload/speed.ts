/** Bytes per second over the last few seconds; an average over the whole upload would react too slowly. */
const WINDOW_MS = 8000;

export class Speed {
  #marks: { at: number; bytes: number }[] = [];

  constructor(readonly now: () => number = () => performance.now()) {}

  /** @param bytes sent in all so far */
  note(bytes: number): void {
    const at = this.now();
    this.#marks.push({ at, bytes });
    this.#marks = this.#marks.filter((mark) => mark.at >= at - WINDOW_MS);
  }

  /** 0 until there are two marks. A retry takes bytes back; that never counts as negative speed. */
  perSecond(): number {
    const first = this.#marks[0];
    const last = this.#marks.at(-1);
    if (!first || !last || last.at <= first.at) return 0;
    return Math.max(0, ((last.bytes - first.bytes) * 1000) / (last.at - first.at));
  }
}
