/** The upload itself, on the page: progress, pause, blurring, result. */
import { need } from "../core/dom";
import { duration, size } from "../core/format";
import { t } from "../core/i18n";
import { UploadQueue, type Entry, type PauseReason } from "../upload/queue";
import { rows } from "../upload/report";
import { sendFile } from "../upload/send";
import { Speed } from "../upload/speed";
import { complete, create, files, follow, prepared, type Request } from "../upload/uploadset";
import { FileList } from "./share-list";
import { showResult } from "./share-result";

const warnBeforeLeaving = (event: BeforeUnloadEvent): void => event.preventDefault();

function showPause(reason: PauseReason | null): void {
  need("#pause").textContent = t(reason ? "share.resume" : "share.pause");
  need("#sending-title").textContent = t(reason ? "share.paused" : "share.uploading");
  const place = need("#pause-reason");
  place.hidden = reason === null || reason === "person";
  if (reason === "signed-out" || reason === "offline") place.textContent = t(`share.pause.${reason}`);
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

async function sendAll(id: string, entries: readonly Entry[]): Promise<void> {
  const list = new FileList(need("#list"), entries);
  const queue = new UploadQueue(entries, (entry, progress, signal) => sendFile(id, entry, progress, signal), {
    onChange: (entry) => list.update(entry),
    onPause: showPause,
  });
  const speed = new Speed();
  const timer = setInterval(() => showFigures(queue, speed), 400);
  const toggle = (): void => (queue.paused ? queue.resume() : queue.pause());
  const backOnline = (): void => {
    if (queue.paused === "offline") queue.resume();
  };
  need("#pause").addEventListener("click", toggle);
  window.addEventListener("online", backOnline);
  window.addEventListener("beforeunload", warnBeforeLeaving);
  try {
    showFigures(queue, speed);
    await queue.run();
    showFigures(queue, speed);
  } finally {
    clearInterval(timer);
    need("#pause").removeEventListener("click", toggle);
    window.removeEventListener("online", backOnline);
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
 * @throws what creating or following the upload throws; single files never make it fail
 */
export async function runUpload(request: Request, entries: readonly Entry[], skipped: readonly string[]): Promise<void> {
  const { id } = await create(request);
  need("#choose").hidden = true;
  need("#sending").hidden = false;
  await sendAll(id, entries);
  need("#pause").hidden = true;
  // Always needed: files that the API refused without keeping track never count towards completing by itself.
  const accepted = entries.some((entry) => entry.state === "accepted");
  await complete(id);
  need("#sending").hidden = true;
  const set = accepted ? await waitForBlurring(id) : null;
  need("#blurring").hidden = true;
  showResult(rows(entries, await files(id), skipped), set);
}
