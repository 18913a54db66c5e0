/** Calls to the Panoramax API of the same origin, with the browser's session cookie. */
import { language } from "./i18n";

/** The API refused a request or could not be reached (status 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly body: ErrorBody = {},
  ) {
    super(message);
  }
}

/** The session is missing or has ended; the person has to log in (again). */
export class SignedOutError extends ApiError {
  constructor() {
    super(401, "signed out");
  }
}

/** The body of the API's 4xx answers. */
export interface ErrorBody {
  message?: string;
  details?: { error?: string; missing_fields?: string[] } | null;
}

export type Visibility = "anyone" | "logged-only" | "owner-only";

export interface Link {
  rel: string;
  href: string;
}

export interface Me {
  id: string;
  name: string;
  permissions?: { role?: string };
}

export interface ItemsStatus {
  prepared: number;
  preparing: number;
  broken: number;
  rejected: number;
  not_processed: number;
}

export interface UploadSet {
  id: string;
  title: string;
  completed: boolean;
  dispatched: boolean;
  ready: boolean;
  nb_items: number;
  items_status?: ItemsStatus;
  associated_collections?: { id: string; title: string; nb_items: number; ready: boolean }[];
}

export interface UploadedFile {
  file_name: string;
  picture_id?: string | null;
  rejected?: { reason: string; message?: string | null; details?: ErrorBody["details"] } | null;
}

export interface Token {
  id: string;
  description: string | null;
  generated_at: string;
  jwt_token?: string;
}

export interface SequenceLink extends Link {
  id: string;
  title: string;
  created: string;
  extent: { temporal: { interval: [string | null, string | null][] }; spatial?: { bbox: [number, number, number, number][] } };
  "stats:items": { count: number };
  "geovisio:length_km"?: number;
  "geovisio:status": string;
  "geovisio:visibility"?: Visibility;
}

export interface SequenceList {
  links: (Link | SequenceLink)[];
  "stats:items"?: { count: number };
  "stats:collections"?: { count: number };
}

export interface Collection {
  id: string;
  title: string;
  created: string;
  extent: { temporal: { interval: [string | null, string | null][] } };
  "stats:items": { count: number };
  "geovisio:length_km"?: number;
  "geovisio:visibility"?: Visibility;
  providers?: { name: string; id?: string; roles: string[] }[];
  links: Link[];
}

export interface Item {
  id: string;
  properties: {
    datetime: string;
    "geovisio:thumbnail"?: string;
    "geovisio:visibility"?: Visibility;
    "geovisio:status"?: string;
    "original_file:name"?: string;
  };
  geometry?: { coordinates: [number, number] } | null;
  assets: { thumb?: { href: string }; hd?: { href: string } };
}

interface Options {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  json?: unknown;
  signal?: AbortSignal;
}

/**
 * Sends one request to /api.
 *
 * Without a session the API answers some routes with a redirect to the identity provider, which fetch cannot follow:
 * redirects are therefore not followed and count as "signed out", as 401 does.
 * @throws SignedOutError when there is no valid session
 * @throws ApiError for every other refusal, and with status 0 when the server cannot be reached
 */
export async function call<T>(path: string, { method = "GET", json, signal }: Options = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json", "Accept-Language": language() };
  if (json !== undefined) headers["Content-Type"] = "application/json";
  let answer: Response;
  try {
    answer = await fetch(path.startsWith("/") ? `/api${path}` : path, {
      method,
      headers,
      credentials: "same-origin",
      redirect: "manual",
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "network");
  }
  if (answer.type === "opaqueredirect" || answer.status === 401) throw new SignedOutError();
  const text = await answer.text();
  const body = parse(text);
  if (!answer.ok) throw new ApiError(answer.status, (body as ErrorBody).message ?? answer.statusText, body as ErrorBody);
  return body as T;
}

/** Reads JSON; anything else (an nginx error page, an empty 204) becomes an empty object. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return {};
  }
}

/** The address of the link with this relation, cut down to this origin's path; undefined if there is none. */
export function link(links: readonly Link[], rel: string): string | undefined {
  const href = links.find((one) => one.rel === rel)?.href;
  if (href === undefined) return undefined;
  const url = new URL(href, window.location.origin);
  return url.pathname.replace(/^\/api/, "") + url.search;
}
