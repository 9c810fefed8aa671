/** Text for people, whatever it is about. Pure. */

export { countOf } from "./count_of.ts";
export { escapeControls, escapeControlsInJson, hasControls } from "./escape_controls.ts";
export { COLOURED, PLAIN, type Segment, type Styles } from "./styles.ts";
export { nearestName, quoteNames, suggestName } from "./nearest_name.ts";
