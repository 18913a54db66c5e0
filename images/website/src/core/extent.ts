/** Where the newest pictures are that the person may see: there the map opens the first time. */
import { call } from "./api";

/** West, south, east, north in degrees. */
export type Box = [number, number, number, number];

/** How many of the newest sequences count. Older ones elsewhere are found by moving the map. */
const NEWEST = 50;

/** The smallest box around all; null without any. */
export function around(boxes: readonly Box[]): Box | null {
  const [first, ...others] = boxes;
  if (!first) return null;
  return others.reduce<Box>(
    ([west, south, east, north], [w, s, e, n]) => [Math.min(west, w), Math.min(south, s), Math.max(east, e), Math.max(north, n)],
    first,
  );
}

export function isWithin(box: Box, area: Box): boolean {
  return box[0] >= area[0] && box[1] >= area[1] && box[2] <= area[2] && box[3] <= area[3];
}

/** Asks the API, which lists only what this person may see. A failure is no reason not to show a map: null. */
export async function visibleExtent(): Promise<Box | null> {
  try {
    const answer = await call<{ collections: { extent?: { spatial?: { bbox?: (Box | null)[] } } }[] }>(
      `/collections?limit=${NEWEST}&sortby=-created`,
    );
    const boxes = answer.collections.map((one) => one.extent?.spatial?.bbox?.[0]);
    return around(boxes.filter((box): box is Box => box?.length === 4));
  } catch (error) {
    console.warn(error);
    return null;
  }
}
