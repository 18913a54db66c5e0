/** Sentences about files, in the page's language. */
import { t } from "../core/i18n";
import type { Reason } from "../upload/outcome";

/** Beside these reasons what is known more exactly says more: the API's own sentence, or the other file. */
const VAGUE = new Set(["invalid_file", "other_error", "twice"]);

export function reasonText(reason: Reason): string {
  const text = t(`reason.${reason.code}`);
  return reason.detail && VAGUE.has(reason.code) ? `${text} (${reason.detail})` : text;
}
