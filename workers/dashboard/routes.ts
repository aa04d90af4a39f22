/** Routes: which page an address's hash means, and the address of a page. */

export type Params = Readonly<Record<string, string>>;

export type Route =
  | { readonly page: "overview"; readonly params: Params }
  | { readonly page: "graph"; readonly job?: string; readonly params: Params }
  | { readonly page: "try"; readonly params: Params }
  | { readonly page: "article"; readonly params: Params }
  | { readonly page: "view"; readonly view: string; readonly params: Params }
  | { readonly page: "key"; readonly view: string; readonly key: string; readonly params: Params }
  | { readonly page: "unknown"; readonly path: string; readonly params: Params };

/** A page to link to. Its parameters may be left out; those that are empty or undefined are not written. */
export type Target =
  | { readonly page: "overview" | "try" | "article"; readonly params?: TargetParams }
  | { readonly page: "graph"; readonly job?: string; readonly params?: TargetParams }
  | { readonly page: "view"; readonly view: string; readonly params?: TargetParams }
  | { readonly page: "key"; readonly view: string; readonly key: string; readonly params?: TargetParams };

export type TargetParams = Readonly<Record<string, string | number | undefined>>;

/** The page that a hash like `#/view/page-views?prefix=/a` means. */
export function parseRoute(hash: string): Route {
  const text = hash.replace(/^#/, "");
  const mark = text.indexOf("?");
  const path = mark < 0 ? text : text.slice(0, mark);
  const params = Object.fromEntries(new URLSearchParams(mark < 0 ? "" : text.slice(mark + 1)));
  const [page = "", name, kind, key, ...more] = path.replace(/^\//, "").split("/").map(decoded);
  if (page === "" && name === undefined) return { page: "overview", params };
  if (page === "graph" && kind === undefined) {
    return name ? { page, job: name, params } : { page, params };
  }
  if ((page === "try" || page === "article") && name === undefined) return { page, params };
  if (page === "view" && name && kind === undefined) return { page, view: name, params };
  if (page === "view" && name && kind === "key" && key !== undefined && more.length === 0) {
    return { page: "key", view: name, key, params };
  }
  return { page: "unknown", path, params };
}

/** The address of a page, for an `href`. */
export function link(target: Target): string {
  return `#${pathOf(target)}${queryOf(target.params)}`;
}

function pathOf(target: Target): string {
  switch (target.page) {
    case "overview":
      return "/";
    case "graph":
      return target.job === undefined ? "/graph" : `/graph/${encodeURIComponent(target.job)}`;
    case "view":
      return `/view/${encodeURIComponent(target.view)}`;
    case "key":
      return `/view/${encodeURIComponent(target.view)}/key/${encodeURIComponent(wellFormed(target.key))}`;
    default:
      return `/${target.page}`;
  }
}

function queryOf(params: TargetParams = {}): string {
  const given = Object.entries(params).filter(([, value]) => value !== undefined && value !== "");
  const query = new URLSearchParams();
  for (const [name, value] of given) query.set(name, wellFormed(String(value)));
  return given.length === 0 ? "" : `?${query}`;
}

/** A half of a surrogate pair has no encoding; with it, an address could not be written at all. */
function wellFormed(text: string): string {
  return text.toWellFormed();
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
