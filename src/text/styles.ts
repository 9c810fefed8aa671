/** Weight and colour of text on a terminal. */

/** Ways to set text apart. Each takes text without line breaks. */
export interface Styles {
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly bar: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly error: (text: string) => string;
}

function same(text: string): string {
  return text;
}

/** Leaves text as it is. */
export const PLAIN: Styles = {
  strong: same,
  faint: same,
  bar: same,
  warning: same,
  error: same,
};

/** Select Graphic Rendition of ECMA-48. */
function style(on: number, off: number): (text: string) => string {
  return (text) => text === "" ? "" : `\x1b[${on}m${text}\x1b[${off}m`;
}

/** For terminals with colours. */
export const COLOURED: Styles = {
  strong: style(1, 22),
  faint: style(2, 22),
  bar: style(36, 39),
  warning: style(33, 39),
  error: style(31, 39),
};

/** Text, and what sets it apart. */
export type Segment = string | readonly [style: keyof Styles, text: string];
