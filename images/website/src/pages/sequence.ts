/** One sequence: its photos and track, and for its owner and administrators what can be changed. */
import { call, type Collection, type Me, type Visibility } from "../core/api";
import { ask, confirm } from "../core/dialog";
import { el, need } from "../core/dom";
import { date, distance } from "../core/format";
import { locale, t, tn } from "../core/i18n";
import { clearProblem, showProblem, start } from "../core/page";
import { openReports, reportRow } from "../core/reports";
import { several } from "../core/several";
import { address, grid, type Grid } from "../sequence/grid";
import { loadPhotos, type Photo } from "../sequence/photos";
import { Track } from "../sequence/track";
import { MOST_BYTES, MOST_FILES, Zip } from "../sequence/zip";
import { VISIBILITIES } from "../upload/uploadset";

await start();
const id = location.pathname.split("/").at(-1) ?? "";
let photos: Photo[] = [];

function change(path: string, json: Record<string, string>): Promise<unknown> {
  clearProblem();
  return call(path, { method: "PATCH", json });
}

function say(text: string): void {
  need("#done").textContent = text;
  need("#done").hidden = text === "";
}

function showTitle(title: string): void {
  need("#title").textContent = title;
  document.title = document.title.replace(/^.*(?= · )/, () => title);
}

async function rename(): Promise<void> {
  const title = await ask(t("sequence.rename.ask"), need("#title").textContent);
  if (title === null) return;
  await change(`/collections/${id}`, { title });
  showTitle(title);
}

async function removeSequence(count: number): Promise<void> {
  if (!(await confirm(t("sequence.delete.ask", { n: count }), t("sequence.delete")))) return;
  await call(`/collections/${id}`, { method: "DELETE" });
  location.assign("/my-photos");
}

function fact(name: string, value: string | Node): HTMLElement {
  return el("div", {}, el("dt", {}, name), el("dd", {}, value));
}

/** A choice for those who may change it, plain text for everybody else. */
function visibilityField(sequence: Collection, mayEdit: boolean): string | Node {
  const now = sequence["geovisio:visibility"];
  if (!now) return "–";
  if (!mayEdit) return t(`visibility.${now}`);
  const offered: readonly Visibility[] = VISIBILITIES.some((one) => one === now) ? VISIBILITIES : [now, ...VISIBILITIES];
  const select = el("select", { "aria-label": t("photos.visibility") });
  select.append(...offered.map((one) => el("option", { value: one, selected: one === now }, t(`visibility.${one}`))));
  select.addEventListener("change", () => {
    change(`/collections/${id}`, { visibility: select.value }).then(
      () => say(t("sequence.saved")),
      (error: unknown) => {
        select.value = now;
        showProblem(error);
      },
    );
  });
  return select;
}

function headActions(sequence: Collection, mayEdit: boolean): HTMLElement[] {
  const button = (text: string, kind: string, action: () => Promise<void>): HTMLElement =>
    el("button", { class: `button ${kind}`, type: "button", click: () => void action().catch(showProblem) }, text);
  const list: HTMLElement[] = [
    el("a", { class: "button primary", href: `/explore?seq=${id}&focus=pic`, id: "fullscreen" }, t("sequence.fullscreen")),
  ];
  list.push(button(t("sequence.download"), "", () => download(photos)));
  if (mayEdit) {
    list.push(button(t("sequence.rename"), "", rename));
    list.push(button(t("sequence.delete"), "danger", () => removeSequence(photos.length || sequence["stats:items"].count)));
  }
  return list;
}

function showHead(sequence: Collection, by: string, mayEdit: boolean): void {
  showTitle(sequence.title);
  need("#facts").replaceChildren(
    fact(t("sequence.photos"), sequence["stats:items"].count.toLocaleString(locale())),
    fact(t("photos.distance"), distance(sequence["geovisio:length_km"])),
    fact(t("photos.shot"), date(sequence.extent.temporal.interval[0]?.[0])),
    fact(t("photos.uploaded"), date(sequence.created)),
    fact(t("sequence.by"), by),
    fact(t("photos.visibility"), visibilityField(sequence, mayEdit)),
  );
  need("#actions").replaceChildren(...headActions(sequence, mayEdit));
}

/** Saves the pictures as they are kept here, faces and plates blurred, in one ZIP file. */
async function download(wanted: readonly Photo[]): Promise<void> {
  clearProblem();
  const ready = wanted.filter((one) => one.whole && one.status === "ready");
  if (ready.length > MOST_FILES) {
    say(t("sequence.download.many", { n: MOST_FILES }));
    return;
  }
  const zip = new Zip();
  let left = 0;
  const { error } = await several(
    ready,
    async (one) => {
      if (zip.size > MOST_BYTES) {
        left += 1;
        return;
      }
      const answer = await fetch(one.whole, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(`${one.whole}: ${answer.status}`);
      zip.add(one.name, new Uint8Array(await answer.arrayBuffer()));
    },
    (done) => say(t("photos.progress", { done, all: ready.length })),
  );
  const source = URL.createObjectURL(zip.close());
  el("a", { href: source, download: `${need("#title").textContent.replace(/[^\p{L}\p{N} ._-]/gu, "_")}.zip` }).click();
  setTimeout(() => URL.revokeObjectURL(source), 60_000);
  say(left ? t("sequence.download.left", { n: left }) : "");
  if (error) showProblem(error);
}

function editing(thumbs: Grid): void {
  const show = (): void => {
    const picked = thumbs.picked();
    need("#picked").textContent = picked.length ? tn("sequence.picked", picked.length) : "";
    need("#picked-actions").hidden = picked.length === 0;
    need("#hide").hidden = picked.every((one) => one.hidden);
    need("#unhide").hidden = !picked.some((one) => one.hidden);
    const all = need<HTMLInputElement>("#pick-all");
    all.checked = picked.length > 0 && picked.length === photos.length;
    all.indeterminate = picked.length > 0 && picked.length < photos.length;
  };
  const each = async (act: (photo: Photo) => Promise<unknown>, worked: (photo: Photo) => void): Promise<void> => {
    clearProblem();
    const picked = thumbs.picked();
    const result = await several(picked, act, (done) => (need("#picked").textContent = t("photos.progress", { done, all: picked.length })));
    result.worked.forEach(worked);
    show();
    if (result.error) showProblem(result.error);
  };
  const setHidden = (hidden: boolean): Promise<void> =>
    each(
      // "logged-only" is the widest that this instance allows; "anyone" is refused.
      (one) => call(`/collections/${id}/items/${one.id}`, { method: "PATCH", json: { visibility: hidden ? "owner-only" : "logged-only" } }),
      (one) => {
        one.hidden = hidden;
        thumbs.update(one);
      },
    );
  const remove = async (): Promise<void> => {
    const count = thumbs.picked().length;
    if (!(await confirm(tn("sequence.delete.photos.ask", count), t("sequence.delete")))) return;
    await each(
      (one) => call(`/collections/${id}/items/${one.id}`, { method: "DELETE" }),
      (one) => {
        thumbs.remove(one.id);
        photos = photos.filter((other) => other !== one);
      },
    );
  };
  const on = (button: string, action: () => Promise<void>): void =>
    need(button).addEventListener("click", () => void action().catch(showProblem));
  on("#hide", () => setHidden(true));
  on("#unhide", () => setHidden(false));
  on("#download", () => download(thumbs.picked()));
  on("#delete", remove);
  on("#retry", () =>
    each(
      (one) => call(`/collections/${id}/items/${one.id}/prepare`, { method: "POST", json: {} }),
      (one) => {
        one.status = "waiting-for-process";
        thumbs.update(one);
      },
    ),
  );
  need("#pick-all").addEventListener("change", (event) => thumbs.pickAll((event.target as HTMLInputElement).checked));
  need("#thumbs").addEventListener("change", show);
  need("#pick-all").addEventListener("change", show);
}

async function showReports(admin: boolean): Promise<void> {
  const about = new Map(photos.map((one) => [one.id, one]));
  const all = await openReports(admin ? "/reports" : "/users/me/reports", admin ? "all" : "owner");
  const here = all.filter((one) => one.sequence_id === id || about.has(one.picture_id ?? ""));
  need("#reports").hidden = here.length === 0;
  need("#report-list").replaceChildren(
    ...here.map((one) => {
      const photo = about.get(one.picture_id ?? "");
      const image = photo && el("img", { src: photo.thumbnail, alt: t("sequence.photo", { name: photo.name }), loading: "lazy" });
      const place = photo ? el("a", { class: "cover", href: address(id, photo) }, image) : el("span", { class: "cover" }, t("reports.sequence"));
      return reportRow(one, place, () => location.reload(), showProblem);
    }),
  );
}

async function show(): Promise<void> {
  const [sequence, me] = await Promise.all([call<Collection>(`/collections/${id}`), call<Me>("/users/me")]);
  const producer = sequence.providers?.find((one) => one.roles.includes("producer"));
  const admin = me.permissions?.role === "admin";
  // The API's own link "edit" is there for everybody, and its refusal comes only with the change.
  const mayEdit = admin || producer?.id === me.id;
  showHead(sequence, producer?.name ?? "–", mayEdit);
  let track: Track | null = null;
  const thumbs = grid({
    place: need("#thumbs"),
    sequence: id,
    mayEdit,
    onPoint: (photo) => track?.point(photo),
  });
  if (mayEdit) editing(thumbs);
  need("#selection").hidden = !mayEdit;
  await loadPhotos(id, (more) => {
    // Without a picture the viewer would open on the map.
    const first = more[0];
    if (!photos.length && first) need<HTMLAnchorElement>("#fullscreen").href = address(id, first);
    photos.push(...more);
    thumbs.add(more);
  });
  need("#thumbs").setAttribute("aria-busy", "false");
  if (mayEdit) {
    need("#retry").hidden = !admin || !photos.some((one) => one.status === "broken");
    await showReports(admin);
  }
  track = await Track.show(need("#track"), producer?.id ?? me.id, (photo) => thumbs.highlight(photo));
  track.draw(photos);
}

show().catch(showProblem);
