/** Reads the photos of a sequence, keeping only what the page needs of each: there may be thousands. */
import { call, link, type Item, type Link } from "../core/api";

const PAGE_SIZE = 500;

export interface Photo {
  id: string;
  name: string;
  /** Paths of the small and of the whole picture on this site; empty where the picture is not ready. */
  thumbnail: string;
  whole: string;
  hidden: boolean;
  /** "ready", or how far it is: "waiting-for-process", "broken" ... */
  status: string;
  /** Longitude and latitude in degrees. */
  place: [number, number] | null;
}

function path(href: string | undefined): string {
  return href ? new URL(href, location.origin).pathname : "";
}

export function photo(item: Item): Photo {
  const { properties } = item;
  return {
    id: item.id,
    name: properties["original_file:name"] ?? item.id.slice(0, 8),
    thumbnail: path(item.assets.thumb?.href),
    whole: path(item.assets.hd?.href),
    hidden: properties["geovisio:visibility"] === "owner-only",
    status: properties["geovisio:status"] ?? "ready",
    place: item.geometry?.coordinates ?? null,
  };
}

/**
 * Calls `onPhotos` with each page of the sequence as it comes.
 * @throws ApiError, SignedOutError as `call` does
 */
export async function loadPhotos(sequence: string, onPhotos: (photos: Photo[]) => void): Promise<void> {
  let next: string | undefined = `/collections/${sequence}/items?limit=${PAGE_SIZE}`;
  while (next) {
    const page: { features: Item[]; links: Link[] } = await call(next);
    onPhotos(page.features.map(photo));
    next = page.features.length ? link(page.links, "next") : undefined;
  }
}
