/** The page at `/`: what is exported, and where. */

/** One exported data source. */
export interface LandingSource {
  /** Scope of its metrics, for example `trace_exec/exec`. */
  readonly scope: string;
  readonly description: string;
  /** Names as they stand on `/metrics`. */
  readonly metrics: readonly string[];
}

/** What the landing page shows. */
export interface LandingContent {
  readonly version: string;
  readonly sources: readonly LandingSource[];
}

/** Renders the landing page: plain HTML, nothing loaded from elsewhere. */
export function landingPage(content: LandingContent): string {
  const sources = content.sources.map(sourceItem).join("");
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>kmeter</title></head>
<body>
<h1>kmeter ${escapeHtml(content.version)}</h1>
<p><a href="/metrics">Metrics</a> &middot; <a href="/healthz">Health</a></p>
<h2>Data sources</h2>
${sources === "" ? "<p>None.</p>" : `<ul>\n${sources}</ul>`}
</body>
</html>
`;
}

function sourceItem({ scope, description, metrics }: LandingSource): string {
  const about = description === "" ? "" : `: ${escapeHtml(description)}`;
  const names = metrics.map((name) => `<code>${escapeHtml(name)}</code>`).join(", ");
  return `<li><strong>${escapeHtml(scope)}</strong>${about}<br>${names}</li>\n`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
