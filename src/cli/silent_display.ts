/** The display of a gadget that has no terminal. */

import type { Display } from "../engine/mod.ts";

/** Shows nothing. */
export const SILENT_DISPLAY: Display = {
  draws: () => false,
  rowView: () => undefined,
  metrics: () => "",
  write: () => {},
  isFull: () => false,
  room: () => Promise.resolve(true),
};
