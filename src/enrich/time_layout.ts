/** Wall-clock times as text, by layouts in the reference-time notation of Go. */

/** Default layout of timestamps: ISO 8601 with nanoseconds and the zone's offset. */
export const ISO_NS_LAYOUT = "2006-01-02T15:04:05.000000000Z07:00";

/** A wall-clock time broken into the fields of its zone. */
interface ClockFields {
  /** Local time presented through the UTC getters of Date. */
  readonly local: Date;
  readonly nanoseconds: number;
  /** Minutes to add to UTC to get local time. */
  readonly zoneMinutes: number;
}

type Piece = (fields: ClockFields) => string;

const MONTHS = (
  "January February March April May June July August September October November December"
).split(" ");
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

function pad(value: number, digits = 2): string {
  return String(value).padStart(digits, "0");
}

function hour12(local: Date): number {
  return local.getUTCHours() % 12 || 12;
}

function zoneText(zoneMinutes: number, separator: string): string {
  const minutes = Math.abs(zoneMinutes);
  const sign = zoneMinutes < 0 ? "-" : "+";
  return `${sign}${pad(Math.trunc(minutes / 60))}${separator}${pad(minutes % 60)}`;
}

/** Longer tokens come before those they begin with. */
const TOKENS: readonly (readonly [string, Piece])[] = [
  ["January", ({ local }) => MONTHS[local.getUTCMonth()]],
  ["Jan", ({ local }) => MONTHS[local.getUTCMonth()].slice(0, 3)],
  ["Monday", ({ local }) => DAYS[local.getUTCDay()]],
  ["Mon", ({ local }) => DAYS[local.getUTCDay()].slice(0, 3)],
  ["MST", ({ zoneMinutes }) => zoneMinutes === 0 ? "UTC" : zoneText(zoneMinutes, "")],
  ["2006", ({ local }) => pad(local.getUTCFullYear(), 4)],
  ["Z07:00", ({ zoneMinutes }) => zoneMinutes === 0 ? "Z" : zoneText(zoneMinutes, ":")],
  ["Z0700", ({ zoneMinutes }) => zoneMinutes === 0 ? "Z" : zoneText(zoneMinutes, "")],
  ["-07:00", ({ zoneMinutes }) => zoneText(zoneMinutes, ":")],
  ["-0700", ({ zoneMinutes }) => zoneText(zoneMinutes, "")],
  ["-07", ({ zoneMinutes }) => zoneText(zoneMinutes, "").slice(0, 3)],
  ["01", ({ local }) => pad(local.getUTCMonth() + 1)],
  ["02", ({ local }) => pad(local.getUTCDate())],
  ["03", ({ local }) => pad(hour12(local))],
  ["04", ({ local }) => pad(local.getUTCMinutes())],
  ["05", ({ local }) => pad(local.getUTCSeconds())],
  ["06", ({ local }) => pad(local.getUTCFullYear() % 100)],
  ["15", ({ local }) => pad(local.getUTCHours())],
  ["PM", ({ local }) => local.getUTCHours() < 12 ? "AM" : "PM"],
  ["pm", ({ local }) => local.getUTCHours() < 12 ? "am" : "pm"],
  ["_2", ({ local }) => String(local.getUTCDate()).padStart(2)],
  ["1", ({ local }) => String(local.getUTCMonth() + 1)],
  ["2", ({ local }) => String(local.getUTCDate())],
  ["3", ({ local }) => String(hour12(local))],
  ["4", ({ local }) => String(local.getUTCMinutes())],
  ["5", ({ local }) => String(local.getUTCSeconds())],
];

function fractionPiece(token: string): Piece {
  const digits = token.length - 1;
  const keepsZeros = token[1] === "0";
  return ({ nanoseconds }) => {
    const text = pad(nanoseconds, 9).slice(0, digits);
    if (keepsZeros) return token[0] + text;
    const trimmed = text.replace(/0+$/, "");
    return trimmed === "" ? "" : token[0] + trimmed;
  };
}

function compile(layout: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  while (at < layout.length) {
    const fraction = /^[.,](?:0{1,9}|9{1,9})(?!\d)/.exec(layout.slice(at));
    const token = TOKENS.find(([text]) => layout.startsWith(text, at));
    if (fraction !== null) {
      pieces.push(fractionPiece(fraction[0]));
      at += fraction[0].length;
    } else if (token !== undefined) {
      pieces.push(token[1]);
      at += token[0].length;
    } else {
      const literal = layout[at];
      pieces.push(() => literal);
      at++;
    }
  }
  return pieces;
}

const NS_PER_S = 1_000_000_000n;

/**
 * Function from wall-clock nanoseconds since the Unix epoch to text.
 *
 * `zoneMinutesAt` tells how many minutes local time is ahead of UTC at a time (ms since the epoch).
 * Cost: the zone and date are worked out once per second of time, since events come in order.
 */
export function createTimeText(
  layout: string,
  zoneMinutesAt: (epochMs: number) => number,
): (wallNs: bigint) => string {
  const pieces = compile(layout);
  let secondsNow = -1n;
  let local = new Date(0);
  let zoneMinutes = 0;
  return (wallNs) => {
    const seconds = wallNs / NS_PER_S;
    if (seconds !== secondsNow) {
      secondsNow = seconds;
      const epochMs = Number(seconds) * 1000;
      zoneMinutes = zoneMinutesAt(epochMs);
      local = new Date(epochMs + zoneMinutes * 60_000);
    }
    const fields = { local, nanoseconds: Number(wallNs % NS_PER_S), zoneMinutes };
    let text = "";
    for (const piece of pieces) text += piece(fields);
    return text;
  };
}
