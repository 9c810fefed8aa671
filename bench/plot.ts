/** A bar chart of times on a logarithmic axis, as SVG that is readable on light and dark pages. */

/** One bar. */
export interface Bar {
  readonly label: string;
  /** Length of the bar, and the ends of the line across its end. All above 0. */
  readonly value: number;
  readonly lowest: number;
  readonly highest: number;
  /** The value as text. */
  readonly text: string;
  readonly style: "own" | "peer";
}

/** Bars under one heading. */
export interface BarGroup {
  readonly heading: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 900;
const LABEL_WIDTH = 380;
const TEXT_WIDTH = 70;
const ROW = 20;
const BAR_HEIGHT = 12;
const TOP = 44;
const BOTTOM = 28;

const STYLE = `
    text { font: 12px system-ui, sans-serif; fill: #24292f; }
    .heading { font-weight: 600; }
    .title { font-size: 14px; font-weight: 600; }
    .grid { stroke: #d0d7de; }
    .range { stroke: #24292f; }
    .own { fill: #0969da; }
    .peer { fill: #8c959f; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .grid { stroke: #30363d; }
      .range { stroke: #e6edf3; }
      .own { fill: #58a6ff; }
      .peer { fill: #6e7681; }
    }`;

/** Draws the chart. `tick` writes a power of ten on the axis. */
export function drawBars(
  groups: readonly BarGroup[],
  { title, tick }: { title: string; tick: (value: number) => string },
): string {
  const bars = groups.flatMap((group) => group.bars);
  const from = Math.floor(Math.log10(Math.min(...bars.map(({ lowest }) => lowest))));
  const to = Math.ceil(Math.log10(Math.max(...bars.map(({ highest }) => highest))));
  const left = LABEL_WIDTH;
  const right = WIDTH - TEXT_WIDTH;
  const x = (value: number) =>
    round(left + (Math.log10(value) - from) / Math.max(1, to - from) * (right - left));
  const height = TOP + ROW * (bars.length + groups.length) + BOTTOM;
  const parts = [`<text class="title" x="8" y="20">${escapeXml(title)}</text>`];
  for (let power = from; power <= to; power++) {
    const at = x(10 ** power);
    parts.push(
      `<line class="grid" x1="${at}" y1="${TOP - 8}" x2="${at}" y2="${height - BOTTOM}"/>`,
      `<text x="${at}" y="${height - 10}" text-anchor="middle">${
        escapeXml(tick(10 ** power))
      }</text>`,
    );
  }
  let y = TOP;
  for (const { heading, bars } of groups) {
    parts.push(`<text class="heading" x="8" y="${y + BAR_HEIGHT}">${escapeXml(heading)}</text>`);
    y += ROW;
    for (const bar of bars) {
      parts.push(...drawBar(bar, { x, y, left }));
      y += ROW;
    }
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `  <style>${STYLE}\n  </style>`,
    ...parts.map((part) => `  ${part}`),
    "</svg>",
  ].join("\n") + "\n";
}

function drawBar(
  bar: Bar,
  { x, y, left }: { x: (value: number) => number; y: number; left: number },
): string[] {
  const middle = y + BAR_HEIGHT / 2;
  const width = round(x(bar.value) - left);
  return [
    `<text x="${left - 8}" y="${y + 10}" text-anchor="end">${escapeXml(bar.label)}</text>`,
    `<rect class="${bar.style}" x="${left}" y="${y}" width="${width}" height="${BAR_HEIGHT}"/>`,
    `<line class="range" x1="${x(bar.lowest)}" y1="${middle}" x2="${
      x(bar.highest)
    }" y2="${middle}"/>`,
    `<text x="${x(bar.highest) + 6}" y="${y + 10}">${escapeXml(bar.text)}</text>`,
  ];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
