/** Dates, sizes and lengths as the page's language writes them. */
import { locale } from "./i18n";

export function date(iso: string | null | undefined): string {
  if (!iso) return "–";
  return new Date(iso).toLocaleDateString(locale(), { dateStyle: "medium" });
}

/** @param moment as the database writes it, or ISO 8601 */
export function time(moment: string): string {
  return new Date(moment).toLocaleString(locale(), { dateStyle: "medium", timeStyle: "short" });
}

/** @param bytes number of bytes; @returns megabytes or gigabytes, decimal */
export function size(bytes: number): string {
  const [value, unit] = bytes >= 1e9 ? [bytes / 1e9, "gigabyte"] : [bytes / 1e6, "megabyte"];
  return value.toLocaleString(locale(), { style: "unit", unit, maximumFractionDigits: value < 10 ? 1 : 0 });
}

/** @param kilometres length of a sequence; @returns metres below one kilometre */
export function distance(kilometres: number | null | undefined): string {
  if (kilometres === null || kilometres === undefined) return "–";
  const [value, unit] = kilometres < 1 ? [Math.round(kilometres * 1000), "meter"] : [kilometres, "kilometer"];
  return value.toLocaleString(locale(), { style: "unit", unit, maximumFractionDigits: 1 });
}

/** @param seconds how long; @returns minutes and seconds, or hours and minutes */
export function duration(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  const unit = (value: number, name: string): string =>
    value.toLocaleString(locale(), { style: "unit", unit: name, unitDisplay: "narrow" });
  if (whole < 60) return unit(whole, "second");
  if (whole < 3600) return `${unit(Math.floor(whole / 60), "minute")} ${unit(whole % 60, "second")}`;
  return `${unit(Math.floor(whole / 3600), "hour")} ${unit(Math.floor((whole % 3600) / 60), "minute")}`;
}
