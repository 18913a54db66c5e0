/** Uploads that were interrupted, offered when one comes back to the page. */
import type { UploadSet } from "../core/api";
import { confirm } from "../core/dialog";
import { el, need } from "../core/dom";
import { locale, t, tn } from "../core/i18n";
import { showProblem } from "../core/page";
import type { Found } from "../upload/collect";
import { allowed, fromHandles } from "../upload/handles";
import type { Journal } from "../upload/journal";
import { settled } from "../upload/queue";
import { attach, leaveOut, missing, restore, type Restored } from "../upload/resume";
import { complete, open, remove } from "../upload/uploadset";

type GoOn = (one: Restored) => Promise<void>;

const lock = (id: string): string => `upload-${id}`;

/** Does something while no other page works on this upload; false if one does. */
export async function alone(id: string, work: () => Promise<void>): Promise<boolean> {
  return navigator.locks.request(lock(id), { ifAvailable: true }, async (held) => {
    if (!held) return false;
    await work();
    return true;
  });
}

async function elsewhere(): Promise<Set<string>> {
  const { held } = await navigator.locks.query();
  return new Set((held ?? []).map((one) => one.name ?? ""));
}

function button(text: string, kind: string, act: () => Promise<unknown>): HTMLButtonElement {
  const node = el("button", { class: `button ${kind}`, type: "button" }, text);
  node.addEventListener("click", () => {
    node.disabled = true;
    act().catch(showProblem).finally(() => (node.disabled = false));
  });
  return node;
}

export class Resume {
  #offered: Restored[] = [];

  constructor(
    readonly journal: Journal,
    readonly user: string,
    readonly goOn: GoOn,
  ) {}

  /** Looks for interrupted uploads and shows them. */
  async offer(): Promise<void> {
    const busy = await elsewhere();
    const cards: HTMLElement[] = [];
    const noted = await this.journal.unfinished(this.user);
    for (const upload of noted) {
      if (busy.has(lock(upload.id))) continue;
      const one = await restore(this.journal, upload);
      if (one) {
        this.#offered.push(one);
        cards.push(this.#card(one));
      } else {
        await this.journal.forget(upload.id);
      }
    }
    const known = new Set(noted.map((one) => one.id));
    for (const set of await open()) if (!known.has(set.id)) cards.push(this.#stranger(set));
    const place = need("#resume");
    place.replaceChildren(...cards);
    place.hidden = cards.length === 0;
  }

  /** Whether what was chosen belongs to an interrupted upload; then that one goes on. */
  take(found: readonly Found[]): boolean {
    for (const one of this.#offered) {
      const left = missing(one.entries).length;
      if (left === 0) continue;
      // A few pictures of the same name and size may be chance; half of what is missing is not.
      if (attach(one.entries, found) * 2 < left) continue;
      leaveOut(one.entries);
      this.goOn(one).catch(showProblem);
      return true;
    }
    return false;
  }

  #card(one: Restored): HTMLElement {
    const { upload, entries } = one;
    const left = missing(entries).length;
    const there = entries.filter((entry) => entry.state === "accepted").length;
    const begun = new Date(upload.begun).toLocaleString(locale(), { dateStyle: "medium", timeStyle: "short" });
    const buttons: HTMLElement[] = [];
    if (left === 0) {
      buttons.push(button(t("resume.show"), "primary", () => this.goOn(one)));
    } else {
      if (upload.handles.length) buttons.push(button(t("resume.go-on"), "primary", () => this.#byHandles(one)));
      buttons.push(
        button(t("resume.end"), "", async () => {
          leaveOut(entries);
          await this.goOn(one);
        }),
      );
    }
    buttons.push(this.#discard(upload.id, upload.title, there));
    const hint = left > 0 && !upload.handles.length ? el("p", {}, el("strong", {}, t("resume.again"))) : null;
    return el(
      "div",
      { class: "card resume", "data-upload": upload.id },
      el("h2", {}, t("resume.title", { title: upload.title })),
      el("p", {}, tn("resume.was", upload.files, { begun }), " ", left ? t("resume.there", { there, left }) : t("resume.all")),
      hint,
      el("div", { class: "actions" }, ...buttons),
    );
  }

  /** An upload that this browser knows nothing about: begun elsewhere, or the browser's store was cleared. */
  #stranger(set: UploadSet): HTMLElement {
    return el(
      "div",
      { class: "card resume", "data-upload": set.id },
      el("h2", {}, t("resume.title", { title: set.title })),
      el("p", {}, tn("resume.stranger", set.nb_items)),
      el(
        "div",
        { class: "actions" },
        button(t("resume.end"), "", async () => {
          await complete(set.id);
          await this.offer();
        }),
        this.#discard(set.id, set.title, set.nb_items),
      ),
    );
  }

  async #byHandles(one: Restored): Promise<void> {
    const { entries, upload } = one;
    if (!(await allowed(upload.handles))) return;
    const found: Found[] = [];
    for (const handle of upload.handles) {
      // A card that is not in the reader any more, a folder that was removed.
      await fromHandles([handle]).then((files) => found.push(...files), console.warn);
    }
    attach(entries, found);
    if (entries.some((entry) => !settled(entry) && !entry.file)) {
      upload.handles = [];
      await this.offerAgain(one);
      return;
    }
    await this.goOn(one);
  }

  /** Not all files are where they were: the person has to choose them. */
  private offerAgain(one: Restored): Promise<void> {
    need(`#resume [data-upload="${one.upload.id}"]`).replaceWith(this.#card(one));
    return Promise.resolve();
  }

  #discard(id: string, title: string, there: number): HTMLElement {
    return button(t("resume.discard"), "danger", async () => {
      if (!(await confirm(tn("resume.discard.ask", there, { title }), t("resume.discard")))) return;
      await remove(id);
      await this.journal.forget(id);
      this.#offered = [];
      await this.offer();
    });
  }
}
