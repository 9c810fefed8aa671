// @ts-check
/// <reference no-default-lib="true" />
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/// <reference lib="esnext" />
/** The page at `/`: asks kmeter every two seconds, and shows what it says. */

import { element, setText } from "./dom.js";
import { gadgetCards } from "./gadgets.js";
import { History, lookBack } from "./history.js";
import { overview } from "./overview.js";
import { remember } from "./remember.js";

/** @import { StatusDocument } from "../src/export/status.ts" */

const POLL_MS = 2000;
/** A scrape may take as long. */
const PATIENCE_MS = 10_000;

const history = new History();
/** What is shown, on the clock of kmeter; Infinity for nothing. */
let now = Infinity;
/** When the page first looked, on the same clock. */
let since = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let isAsking = false;

const main = find("gadgets");
const tiles = find("overview");
const limits = find("limits");
const showOverview = overview(tiles);
/** @type {ReturnType<typeof gadgetCards> | undefined} */
let showGadgets;

document.addEventListener("visibilitychange", follow);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", follow);
follow();

/** Asks at once if somebody looks, else not at all. */
function follow() {
  clearTimeout(timer);
  if (document.hidden) showState("paused", "Paused");
  else ask();
}

async function ask() {
  if (isAsking) return;
  isAsking = true;
  const status = await fetchStatus();
  isAsking = false;
  if (!document.hidden) timer = setTimeout(ask, POLL_MS);
  if (status === undefined) return;
  showState("live", "Live");
  show(status);
}

/** @returns {Promise<StatusDocument | undefined>} undefined if there is none: the page says why */
async function fetchStatus() {
  try {
    const response = await fetch("/api/v1/status", { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (response.ok) return await response.json();
    showState("lost", `kmeter answers ${response.status}: trying again`);
  } catch {
    // It has ended, is too busy, or the network is gone: the browser does not tell which.
    showState("lost", "kmeter cannot be reached: trying again");
  }
}

/** @param {StatusDocument} status */
function show(status) {
  const { uptimeSeconds, version, gadgets } = status;
  // Another tab has asked for it already.
  if (uptimeSeconds === now) return;
  // The first, or another kmeter: nothing of the one before belongs to it.
  if (uptimeSeconds < now) {
    history.clear();
    since = uptimeSeconds;
  }
  now = uptimeSeconds;
  remember(history, status);
  if (showGadgets === undefined) {
    main.replaceChildren();
    showGadgets = gadgetCards(main);
  }
  setText(find("version"), version);
  const look = lookBack(history, { now, since });
  tiles.hidden = false;
  showOverview(status, look);
  showGadgets(gadgets, look);
  showLimits(status);
}

/** @param {StatusDocument} status */
function showLimits(status) {
  if (!limits.hidden) return;
  limits.hidden = false;
  limits.querySelector("tbody")?.append(
    ...status.limits.map(({ subject, value, effect }) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, subject),
        element("td", {}, value),
        element("td", {}, effect),
      )
    ),
  );
}

/**
 * @param {"live" | "paused" | "lost"} name
 * @param {string} text
 */
function showState(name, text) {
  document.body.dataset.state = name;
  setText(find("state"), text);
}

/** @param {string} id @returns {HTMLElement} */
function find(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`BUG: the page has no #${id}`);
  return found;
}
