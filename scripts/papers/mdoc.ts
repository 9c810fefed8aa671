/** Text as mdoc, the language of manual pages, wants it. */

/** Characters that a macro's argument must not begin or consist of: mdoc takes them for punctuation. */
const PUNCTUATION = /^[|.,:;()[\]?!]+$/;
/** A short word may be the name of a macro: `Ar`, `D1`. */
const MACRO_LIKE = /^[A-Z%][a-z0-9A-Z]{1,2}$/;

const LINE_WIDTH = 78;

/** Running text: each sentence begins a line, as mdoc wants it, and no line is long. */
export function mdocText(text: string): string {
  const sentences = text.replaceAll("\n", " ").split(/(?<=[.?!]\)?) +(?=\S)/);
  return sentences.flatMap(wrap).map(mdocLine).join("\n");
}

/** One line that stays as it is. */
export function mdocLine(line: string): string {
  // At the beginning of a line these two make a request.
  return escapeMdoc(line).replace(/^(?=[.'])/, "\\&");
}

function wrap(sentence: string): string[] {
  const lines = [""];
  for (const word of sentence.split(/ +/)) {
    const longer = lines[lines.length - 1] === "" ? word : `${lines[lines.length - 1]} ${word}`;
    if (escapeMdoc(longer).length <= LINE_WIDTH) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Words for a line of macros. */
export function mdocWords(text: string): string {
  return text.split(/ +/).map((word) => {
    const escaped = escapeMdoc(word).replaceAll('"', "\\(dq");
    return PUNCTUATION.test(word) || MACRO_LIKE.test(word) ? `\\&${escaped}` : escaped;
  }).join(" ");
}

/** Hyphens stay what a shell takes them for, and quotes stay straight. */
export function escapeMdoc(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga").replaceAll("~", "\\(ti").replaceAll("^", "\\(ha");
}
