/** The upload itself, on the page: progress, pause, blurring, result. */
import { el, need } from "../core/dom";
import { duration, size } from "../core/format";
import { t } from "../core/i18n";
import { loginAddress } from "../core/page";
import type { Journal, Upload } from "../upload/journal";
import { Keeper, stayAwake } from "../upload/keeper";
import { settled, UploadQueue, type Entry, type PauseReason } from "../upload/queue";
import { rows } from "../upload/report";
import { sendFile } from "../upload/send";
import { Speed } from "../upload/speed";
import { complete, files, follow, prepared, remove } from "../upload/uploadset";
import { fileList } from "./share-list";
import { showResult } from "./share-result";

const warnBeforeLeaving = (event: BeforeUnloadEvent): void => event.preventDefault();

function showPause(reason: PauseReason | null): void {
  need("#pause").textContent = t(reason ? "share.resume" : "share.pause");
  need("#sending-title").textContent = t(reason ? "share.paused" : "share.uploading");
  const place = need("#pause-reason");
  place.hidden = reason === null || reason === "person";
  if (place.hidden) return;
  const away = reason === "signed-out" || reason === "other-person";
  // In a tab of its own: this one keeps its files and goes on by itself.
  const login = el("a", { class: "button small", href: loginAddress("/my-photos"), target: "_blank", rel: "noopener" }, t("nav.login"));
  place.replaceChildren(el("span", {}, t(`share.pause.${reason as Exclude<PauseReason, "person">}`)), ...(away ? [login] : []));
}

function showFigures(queue: UploadQueue, speed: Speed): void {
  const sum = queue.totals();
  speed.note(sum.sentBytes);
  need<HTMLProgressElement>("#all").value = sum.bytes ? sum.sentBytes / sum.bytes : 1;
  const rate = queue.paused ? 0 : speed.perSecond();
  const parts = [
    t("share.count", { done: sum.done, files: sum.files }),
    t("share.bytes", { sent: size(sum.sentBytes), all: size(sum.bytes) }),
  ];
  if (rate > 0) parts.push(`${size(rate)}/s`);
  if (rate > 0 && sum.done < sum.files) parts.push(t("share.left", { time: duration((sum.bytes - sum.sentBytes) / rate) }));
  if (sum.rejected) parts.push(t("share.problems", { n: sum.rejected }));
  need("#figures").textContent = parts.join(" · ");
}

export interface Session {
  upload: Upload;
  entries: readonly Entry[];
  journal: Journal;
  /** Tells the caller's checks where judged entries are to be noted. */
  onJudged: (told: (entry: Entry) => void) => void;
}

async function sendAll({ upload, entries, journal, onJudged }: Session): Promise<void> {
  const list = fileList(need("#list"), entries, t("share.list"));
  const states = new Map<Entry, Entry["state"]>();
  const changed = (entry: Entry): void => {
    list.refresh();
    // Progress alone is nothing to remember.
    if (states.get(entry) === entry.state) return;
    states.set(entry, entry.state);
    journal.note(upload.id, entry);
  };
  onJudged(changed);
  const queue = new UploadQueue(entries, (entry, progress, signal) => sendFile(upload.id, entry, progress, signal), {
    onChange: changed,
    onPause: (reason) => {
      showPause(reason);
      keeper.paused(reason);
    },
  });
  const keeper = new Keeper(queue, upload.user);
  const speed = new Speed();
  const timer = setInterval(() => showFigures(queue, speed), 400);
  const toggle = (): void => {
    if (!queue.paused) queue.pause();
    else if (queue.paused === "person") queue.resume();
    else void keeper.probe();
  };
  const sleepy = stayAwake();
  need("#pause").addEventListener("click", toggle);
  // Where the page can come back to the files by itself there is nothing to lose.
  if (!upload.handles.length) window.addEventListener("beforeunload", warnBeforeLeaving);
  try {
    showPause(null);
    showFigures(queue, speed);
    await queue.run();
    showFigures(queue, speed);
  } finally {
    clearInterval(timer);
    keeper.stop();
    sleepy();
    need("#pause").removeEventListener("click", toggle);
    window.removeEventListener("beforeunload", warnBeforeLeaving);
  }
}

async function waitForBlurring(id: string): ReturnType<typeof follow> {
  need("#blurring").hidden = false;
  return follow(id, (set) => {
    const all = Math.max(set.nb_items, 1);
    need<HTMLProgressElement>("#blurred").value = prepared(set) / all;
    need("#blurred-figures").textContent = t("share.count", { done: prepared(set), files: set.nb_items });
  });
}

/**
 * Uploads the entries and shows everything on the way; resolves when the result is on the page.
 * @throws what completing or following the upload throws; single files never make it fail
 */
export async function runUpload(session: Session): Promise<void> {
  const { upload, entries, journal } = session;
  need("#choose").hidden = true;
  need("#resume").hidden = true;
  if (!entries.every(settled)) {
    need("#sending").hidden = false;
    need("#pause").hidden = false;
    await sendAll(session);
    need("#sending").hidden = true;
  }
  const sent = rows(entries, await files(upload.id), upload.skipped);
  if (!sent.some((row) => row.accepted)) {
    await remove(upload.id);
    await journal.forget(upload.id);
    showResult(sent, null);
    return;
  }
  // Always needed: files that the API refused without keeping track never count towards completing by itself.
  await complete(upload.id);
  const set = await waitForBlurring(upload.id);
  need("#blurring").hidden = true;
  showResult(rows(entries, await files(upload.id), upload.skipped), set);
  await journal.forget(upload.id);
}
