/** Text for people, whatever it is about. Pure. */

export { escapeControls, escapeControlsInJson, hasControls } from "./escape_controls.ts";
export { nearestName, quoteNames, suggestName } from "./nearest_name.ts";
