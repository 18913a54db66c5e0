/** Copies a text and says so on the button for a moment. */
import { t } from "./i18n";

export function copyButton(button: HTMLElement, text: () => string): void {
  button.addEventListener("click", () => {
    navigator.clipboard.writeText(text()).then(() => {
      button.textContent = t("copied");
      setTimeout(() => (button.textContent = t("copy")), 1500);
    }, console.warn);
  });
}
