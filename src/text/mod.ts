/** Text for people, whatever it is about. Pure. */

export { escapeControls, escapeControlsInJson, hasControls } from "./escape_controls.ts";
export { COLOURED, PLAIN, type Segment, type Styles } from "./styles.ts";
export { nearestName, quoteNames, suggestName } from "./nearest_name.ts";
