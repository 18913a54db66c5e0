/** Small helpers to build and find elements; the site needs no framework. */

export type Child = Node | string | null | undefined | false;
type Props = Record<string, string | number | boolean | EventListener | undefined>;

/**
 * Creates an element. Functions become event listeners, true becomes an empty attribute,
 * false and undefined are left out, everything else is an attribute. Strings are never read as HTML.
 */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== undefined && value !== false) node.setAttribute(name, String(value));
  }
  node.append(...children.filter((child): child is Node | string => child instanceof Node || typeof child === "string"));
  return node;
}

/** Finds an element that the page's HTML must have; the caller names its kind. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export function need<T extends Element = HTMLElement>(selector: string, from: ParentNode = document): T {
  const found = from.querySelector<T>(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}

/** The icons of the site, as paths on a 24 x 24 grid drawn with a stroke. */
const ICONS = {
  folder: "M3.5 7.500v10.500a1.5 1.5 0 0 0 1.5 1.500h14a1.5 1.5 0 0 0 1.5-1.500V9a1.5 1.5 0 0 0-1.5-1.500h-7L10 5H5a1.5 1.5 0 0 0-1.5 1.500z",
  picture: "M4 5.500h16v13H4zM4 16l4.5-5 4 4.5 2.5-2.5 5 4.5",
  check: "m5 12.5 4.5 4.500L19 7.5",
  cross: "m6.5 6.5 11 11m0-11-11 11",
  eyeOff: "m4 4 16 16M9.5 5.900A9.7 9.7 0 0 1 12 5.500c5.5 0 9 6.5 9 6.500a16 16 0 0 1-2.7 3.400M6.3 7.600A15.5 15.5 0 0 0 3 12s3.5 6.5 9 6.500c1.3 0 2.5-.3 3.6-.9",
} as const;

/** One of the site's icons; purely decorative, so hidden from screen readers. */
export function icon(name: keyof typeof ICONS): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}
