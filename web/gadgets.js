// @ts-check
/// <reference no-default-lib="true" />
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/// <reference lib="esnext" />
/** The cards of the gadgets. */

import { dataSourceView } from "./data_source.js";
import { element, list, setText } from "./dom.js";
import { valueText, visibleText } from "./numbers.js";
import { latest, ratesOf } from "./overview.js";
import { runOf, runTimeKey } from "./remember.js";

/** @import { View } from "./dom.js" */
/** @import { Look } from "./history.js" */
/** @import { StatusDataSource, StatusGadget, StatusProgram } from "../src/export/status.ts" */

/** @typedef {{ readonly gadget: StatusGadget, readonly look: Look }} ShownGadget */

/**
 * @param {Element} parent
 * @returns {(gadgets: readonly StatusGadget[], look: Look) => void}
 */
export function gadgetCards(parent) {
  const show = list(parent, {
    key: (/** @type {ShownGadget} */ { gadget }) => runOf(gadget),
    make: gadgetCard,
  });
  return (gadgets, look) => {
    const downFirst = gadgets.toSorted((a, b) => Number(a.isUp) - Number(b.isUp));
    show(downFirst.map((gadget) => ({ gadget, look })));
  };
}

/** @returns {View<ShownGadget>} */
function gadgetCard() {
  const name = element("h2");
  const state = element("p", { class: "badge" });
  const description = element("p", { class: "description" });
  const problems = element("ul", { class: "problems" });
  const programs = programTable();
  const sources = element("div", { class: "sources" });
  const node = element(
    "section",
    { class: "card" },
    element("div", { class: "title" }, name, state),
    description,
    problems,
    sources,
    programs.node,
  );
  const showProblems = list(problems, { key: (/** @type {string} */ text) => text, make: line });
  const showSources = list(sources, {
    // Another set of metrics or labels is another table.
    key: ({ source: { name, metrics, labelNames } }) => JSON.stringify([name, metrics, labelNames]),
    make: dataSourceView,
  });
  return {
    node,
    update({ gadget, look }) {
      setText(name, visibleText(gadget.name));
      setText(state, gadget.isUp ? "runs" : "down");
      state.classList.toggle("bad", !gadget.isUp);
      setText(description, visibleText(gadget.description));
      const found = problemsOf(gadget);
      problems.hidden = found.length === 0;
      showProblems(found);
      const run = runOf(gadget);
      showSources(gadget.dataSources.map((source) => ({ run, source, look })));
      programs.update({ gadget, look });
    },
  };
}

/** @returns {View<string>} */
function line() {
  const node = element("li");
  return { node, update: (text) => setText(node, text) };
}

/** @param {StatusGadget} gadget @returns {string[]} */
function problemsOf({ isUp, reason, isCaughtUp, programs, dataSources }) {
  return [
    ...(isUp ? [] : [`Does not run: ${reason}`]),
    ...(isCaughtUp ? [] : ["Events wait to be counted for over a second: the numbers are old"]),
    ...programs.filter(({ isAttached }) => !isAttached)
      .map(({ name, reason }) => `Program ${name} is not attached: ${reason}`),
    ...dataSources.flatMap(sourceProblems),
  ].map((text) => text.split("\n").map(visibleText).join("\n"));
}

/** @param {StatusDataSource} source @returns {string[]} */
function sourceProblems({ name, eventsLost, decodeErrors, seriesOverflow, map }) {
  const reasons = (/** @type {Readonly<Record<string, number>>} */ counts) =>
    Object.entries(counts).filter(([, count]) => count > 0)
      .map(([reason, count]) => `${valueText(count)} ${reason.replaceAll("_", " ")}`).join(", ");
  const lost = reasons(eventsLost);
  const errors = reasons(decodeErrors);
  return [
    ...(lost === "" ? [] : [`${name}: events are lost (${lost})`]),
    ...(errors === "" ? [] : [`${name}: records cannot be counted (${errors})`]),
    ...(seriesOverflow === 0
      ? []
      : [`${name}: the limit of series is reached; ${valueText(seriesOverflow)} went to the rest`]),
    ...(map === undefined || !(map.fetchErrors > 0)
      ? []
      : [`${name}: the map could not be read ${map.fetchErrors} times`]),
    ...(map?.fullReads === undefined || map.fullReads === 0
      ? []
      : [`${name}: the map was full when it was read, ${map.fullReads} times`]),
  ];
}

/** @returns {View<ShownGadget>} */
function programTable() {
  const summary = element("summary");
  const body = element("tbody");
  const heads = ["Program", "Section", "State", "Runs", "CPU time"].map((text) =>
    element("th", { scope: "col" }, text)
  );
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...heads)), body);
  const scroll = { class: "scroll", role: "region", "aria-label": "Programs", tabindex: "0" };
  const node = element("details", {}, summary, element("div", scroll, table));
  const showRows = list(body, {
    key: (/** @type {StatusProgram} */ { name, section }) => `${section} ${name}`,
    make: programRow,
  });
  return {
    node,
    update({ gadget, look }) {
      const { programs } = gadget;
      node.hidden = programs.length === 0;
      const attached = programs.filter(({ isAttached }) => isAttached).length;
      const share = latest(
        ratesOf(look.history, runTimeKey(runOf(gadget))),
        (rate) => `, ${valueText(100 * rate)} % of a CPU`,
        "",
      );
      const count = attached === programs.length ? attached : `${attached} of ${programs.length}`;
      const isMeasured = programs.some(({ runTimeSeconds }) => runTimeSeconds !== undefined);
      setText(
        summary,
        `${count} eBPF program${programs.length === 1 ? "" : "s"} attached${
          isMeasured ? share : ""
        }`,
      );
      showRows(programs);
    },
  };
}

/** @returns {View<StatusProgram>} */
function programRow() {
  const name = element("th", { scope: "row" });
  const section = element("td");
  const state = element("td");
  const runs = element("td", { class: "number" });
  const time = element("td", { class: "number" });
  return {
    node: element("tr", {}, name, section, state, runs, time),
    update(program) {
      setText(name, visibleText(program.name));
      setText(section, visibleText(program.section));
      setText(state, program.isAttached ? "attached" : visibleText(program.reason));
      setText(runs, program.runCount === undefined ? "–" : valueText(program.runCount));
      const { runTimeSeconds } = program;
      setText(time, runTimeSeconds === undefined ? "–" : valueText(runTimeSeconds, "s"));
    },
  };
}
