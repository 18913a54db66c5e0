/** Names under which files are sent: the API keeps only the last part of a path and wants it unique within an upload. */

/** Only what the API accepts by its name; cameras write .THM, .LRV and .MP4 beside their pictures. */
export function isPicture(path: string): boolean {
  const name = path.split("/").at(-1) ?? "";
  return /\.jpe?g$/i.test(name) && !name.startsWith(".");
}

function withSuffix(name: string, number: number): string {
  return name.replace(/(\.[^.]+)$/, `-${number}$1`);
}

/**
 * Flattens paths so that no two names are equal: `DCIM/100GOPRO/GOPR0001.JPG` becomes `100GOPRO_GOPR0001.JPG`.
 *
 * A file keeps its own folder's name as prefix, which keeps the order of the cameras' folders; files that still
 * collide take more of their path, and files without one a number. The same list always gives the same names,
 * upper and lower case counting as equal.
 */
export function flatten(paths: readonly string[]): string[] {
  const parts = paths.map((path) => path.split("/").filter((part) => part !== "" && part !== "." && part !== ".."));
  const depth = parts.map((one) => Math.min(2, one.length));
  const name = (index: number): string => (parts[index] ?? []).slice(-(depth[index] ?? 1)).join("_");
  for (;;) {
    const groups = new Map<string, number[]>();
    for (const index of paths.keys()) {
      const key = name(index).toLowerCase();
      groups.set(key, [...(groups.get(key) ?? []), index]);
    }
    let grown = false;
    for (const group of groups.values()) {
      if (group.length < 2) continue;
      for (const index of group) {
        const now = depth[index] ?? 1;
        if (now >= (parts[index] ?? []).length) continue;
        depth[index] = now + 1;
        grown = true;
      }
    }
    if (!grown) break;
  }
  const taken = new Set<string>();
  return paths.map((_path, index) => {
    let unique = name(index);
    for (let number = 2; taken.has(unique.toLowerCase()); number += 1) unique = withSuffix(name(index), number);
    taken.add(unique.toLowerCase());
    return unique;
  });
}

/** A title for the sequence from what was chosen: the first folder that is not the camera's own DCIM, else a date. */
export function suggestTitle(paths: readonly string[], newest: Date, locale: string): string {
  const folder = paths[0]?.split("/").find((part, index, all) => index < all.length - 1 && !/^DCIM$/i.test(part));
  const day = newest.toLocaleDateString(locale, { dateStyle: "medium" });
  return folder && !/^\d{3}[A-Z0-9_]{5}$/.test(folder) ? folder : day;
}
