/** Asks for a confirmation or a line of text in the site's own look; the browser's dialogs cannot be styled. */
import { el } from "./dom";
import { t } from "./i18n";

function show<T>(content: HTMLElement, result: () => T): Promise<T | null> {
  const dialog = el("dialog", {}, content);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes" ? result() : null);
      dialog.remove();
    });
  });
}

function form(action: string, kind: string, ...content: HTMLElement[]): HTMLFormElement {
  return el(
    "form",
    { method: "dialog" },
    ...content,
    el(
      "div",
      { class: "actions end" },
      el("button", { class: "button", type: "submit", value: "no", formnovalidate: true }, t("dialog.cancel")),
      el("button", { class: `button ${kind}`, type: "submit", value: "yes" }, action),
    ),
  );
}

/** @returns whether the person agreed; Escape and "Cancel" mean no */
export async function confirm(question: string, action: string, kind: "danger" | "primary" = "danger"): Promise<boolean> {
  return (await show(form(action, kind, el("p", {}, question)), () => true)) === true;
}

/** @returns the trimmed text, null if the person changed nothing or cancelled */
export async function ask(question: string, value: string): Promise<string | null> {
  const input = el("input", { value, required: true, maxlength: 250, "aria-label": question, autofocus: true });
  const asked = form(t("dialog.save"), "primary", el("p", {}, question), input);
  // Enter in the field must save, and the form's first button would cancel.
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    asked.requestSubmit(asked.querySelector<HTMLButtonElement>("button[value=yes]"));
  });
  const text = await show(asked, () => input.value.trim());
  return text === null || text === "" || text === value ? null : text;
}
