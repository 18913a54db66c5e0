/** Share Photos: choose, check, upload, wait for the blurring, see what became of each file. */
import { el, need } from "../core/dom";
import { locale, t } from "../core/i18n";
import { clearProblem, showProblem, start } from "../core/page";
import { Checker, known, workers } from "../upload/check";
import type { Found } from "../upload/collect";
import type { Handle } from "../upload/handles";
import { Journal } from "../upload/journal";
import { suggestTitle } from "../upload/names";
import type { Entry } from "../upload/queue";
import type { Restored } from "../upload/resume";
import { Selection } from "../upload/selection";
import { create, TRANSPORTS, VISIBILITIES, type Request } from "../upload/uploadset";
import { showChosen, wireChoice } from "./share-choose";
import { alone, Resume } from "./share-resume";
import { runUpload } from "./share-run";

const { user, site } = await start();
const journal = await Journal.open();
const team = workers();
let selection = new Selection();
let judged: (entry: Entry) => void = () => soon();
const checker = new Checker(team.look, known, site.upload_max_bytes, (entry) => judged(entry));

let drawing = false;
/** Thousands of files are judged in a few seconds: once in a while is enough to show it. */
function soon(): void {
  if (drawing) return;
  drawing = true;
  setTimeout(() => {
    drawing = false;
    if (!need("#choose").hidden) showChosen(selection);
  }, 200);
}

function fillChoices(): void {
  const transport = need<HTMLSelectElement>("#transport");
  for (const mode of TRANSPORTS) transport.append(el("option", { value: mode }, t(`share.transport.${mode}`)));
  transport.append(el("option", { value: "" }, t("share.transport.none")));
  for (const [index, value] of VISIBILITIES.entries()) {
    need("#visibility").append(
      el(
        "label",
        { class: "choice" },
        el("input", { type: "radio", name: "visibility", value, checked: index === 0 }),
        el("span", {}, el("strong", {}, t(`visibility.${value}`)), el("small", {}, t(`visibility.${value}.text`))),
      ),
    );
  }
}

function request(): Request {
  const checked = need<HTMLInputElement>("input[name=visibility]:checked").value;
  return {
    title: need<HTMLInputElement>("#title").value.trim(),
    files: selection.good.length,
    visibility: VISIBILITIES.find((one) => one === checked) ?? "logged-only",
    transport: TRANSPORTS.find((one) => one === need<HTMLSelectElement>("#transport").value) ?? "",
  };
}

async function run({ upload, entries }: Restored): Promise<void> {
  clearProblem();
  need("#intro").hidden = true;
  checker.upload = upload.id;
  const onJudged = (told: (entry: Entry) => void): void => {
    judged = told;
  };
  await alone(upload.id, () => runUpload({ upload, entries, journal, onJudged }));
}

async function begin(): Promise<void> {
  selection.settleNames();
  const { entries, skipped, handles } = selection;
  const { title } = request();
  const { id } = await create(request());
  const upload = { id, user: user?.id ?? "", title, begun: Date.now(), files: selection.good.length, skipped, handles };
  await journal.begin(upload, entries);
  await run({ upload, entries });
}

const resume = new Resume(journal, user?.id ?? "", async (one) => {
  for (const entry of one.entries) checker.add(entry);
  await run(one);
});

function take(found: Found[], handles: Handle[]): void {
  if (resume.take(found)) return;
  selection.add(found, handles, checker);
  const title = need<HTMLInputElement>("#title");
  if (!title.value && selection.entries.length) {
    const newest = new Date(Math.max(...selection.entries.map((one) => one.modified)));
    title.value = suggestTitle(
      selection.entries.map((one) => one.path),
      newest,
      locale(),
    );
  }
  showChosen(selection);
}

fillChoices();
wireChoice(take);
need("#clear").addEventListener("click", () => {
  selection = new Selection();
  checker.forget();
  need<HTMLInputElement>("#title").value = "";
  showChosen(selection);
});
need<HTMLFormElement>("#choose").addEventListener("submit", (event) => {
  event.preventDefault();
  const title = need<HTMLInputElement>("#title");
  title.value = title.value.trim();
  if (!selection.good.length || !title.reportValidity()) return;
  const button = need<HTMLButtonElement>("#upload");
  button.disabled = true;
  begin().catch((error: unknown) => {
    button.disabled = false;
    showProblem(error);
  });
});
resume.offer().catch(showProblem);
