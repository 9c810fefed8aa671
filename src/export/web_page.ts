/** The page at `/`, and the files that it loads. Nothing of it comes from elsewhere. */

import { listAssets, readAsset } from "../assets/mod.ts";
import { escapeControls } from "../text/mod.ts";

/** One exported data source. */
export interface LandingSource {
  /** Scope of its metrics, for example `trace_exec/exec`. */
  readonly scope: string;
  readonly description: string;
  /** Names as they stand on `/metrics`. */
  readonly metrics: readonly string[];
}

/** What the page shows before, or without, its script. */
export interface LandingContent {
  readonly version: string;
  readonly sources: readonly LandingSource[];
}

const FOLDER = "web";
const INDEX = `${FOLDER}/index.html`;
const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

/** No script but ours runs, whatever a label says; nobody shows the page inside of theirs. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
  "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Headers of the page, its files and its data. */
export const WEB_HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-cache",
  "content-security-policy": POLICY,
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** Holds the files: who left root may be unable to read them later. */
export class WebPage {
  readonly #files = new Map(listAssets(FOLDER).map((name) => [name, readAsset(name)]));

  /** The page, with this in it until its script has more to show. */
  index(content: LandingContent): Response {
    const text = new TextDecoder().decode(this.#files.get(INDEX));
    const page = text.replace("<!-- version -->", () => escapeHtml(content.version))
      .replace("<!-- sources -->", () => sourceList(content.sources));
    return answer(page, "text/html; charset=utf-8");
  }

  /** A file that the page loads; undefined if it has none at that path. */
  file(path: string): Response | undefined {
    const bytes = this.#files.get(path.slice(1));
    const type = TYPES[path.slice(path.lastIndexOf(".") + 1)];
    return bytes === undefined || type === undefined ? undefined : answer(bytes, type);
  }
}

function answer(body: BodyInit, type: string): Response {
  return new Response(body, { headers: { "content-type": type, ...WEB_HEADERS } });
}

function sourceList(sources: readonly LandingSource[]): string {
  return sources.length === 0 ? "<p>None.</p>" : `<ul>\n${sources.map(sourceItem).join("")}</ul>`;
}

function sourceItem({ scope, description, metrics }: LandingSource): string {
  const about = description === "" ? "" : `: ${escapeHtml(description)}`;
  const names = metrics.map((name) => `<code>${escapeHtml(name)}</code>`).join(", ");
  return `<li><strong>${escapeHtml(scope)}</strong>${about}<br>${names}</li>\n`;
}

/** Descriptions are a stranger's: what would not be seen, or would turn what stands around it, is written out. */
function escapeHtml(text: string): string {
  return escapeControls(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(
    ">",
    "&gt;",
  )
    .replaceAll('"', "&quot;");
}
