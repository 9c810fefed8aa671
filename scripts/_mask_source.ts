/**
 * Blanks everything in TypeScript source that is not code, so that a pattern cannot match inside a
 * comment or a text.
 */

/** The source with the same length and the same lines twice: with one kind of content blanked each. */
export interface MaskedSource {
  /** Comments, regular expressions and the inside of texts are spaces; quotes stay. */
  readonly code: string;
  /** Only what stands in comments is left. */
  readonly comments: string;
}

type Kind = "code" | "comment" | "text";

// After one of these a slash begins a regular expression, otherwise it divides.
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of|yield|await))\s*$/;

/** Splits source into code and comments. Cost: one pass, two copies of the source. */
export function maskSource(source: string): MaskedSource {
  const kinds = new Array<Kind>(source.length).fill("code");
  const mark = (from: number, to: number, kind: Kind) => kinds.fill(kind, from, to);
  // One entry per open `${`: how many braces are open inside it.
  const openBraces: number[] = [];
  let at = 0;
  while (at < source.length) {
    const char = source[at];
    const next = source[at + 1];
    let end = at + 1;
    if (char === "/" && next === "/") {
      end = endOfLine(source, at);
      mark(at, end, "comment");
    } else if (char === "/" && next === "*") {
      end = endAfter(source, { text: "*/", from: at + 2 });
      mark(at, end, "comment");
    } else if (char === '"' || char === "'") {
      end = endOfText(source, { quote: char, from: at + 1 });
      mark(at + 1, end - 1, "text");
    } else if (char === "/" && BEFORE_REGEX.test(codeBefore(source, { kinds, at }))) {
      end = endOfRegex(source, at + 1);
      mark(at, end, "text");
    } else if (char === "`" || (char === "}" && openBraces.at(-1) === 0)) {
      if (char === "}") openBraces.pop();
      end = endOfTemplatePart(source, at + 1);
      const opensCode = source[end - 1] === "{";
      mark(at + 1, end - (opensCode ? 2 : 1), "text");
      if (opensCode) openBraces.push(0);
    } else if (openBraces.length > 0 && (char === "{" || char === "}")) {
      openBraces[openBraces.length - 1] += char === "{" ? 1 : -1;
    }
    at = end;
  }
  return {
    code: only(source, { kinds, kind: "code" }),
    comments: only(source, { kinds, kind: "comment" }),
  };
}

function only(source: string, { kinds, kind }: { kinds: readonly Kind[]; kind: Kind }): string {
  let kept = "";
  for (let i = 0; i < source.length; i++) {
    kept += kinds[i] === kind || source[i] === "\n" ? source[i] : " ";
  }
  return kept;
}

/** The last characters of code before `at`: enough to see an operator or a keyword. */
function codeBefore(source: string, { kinds, at }: { kinds: readonly Kind[]; at: number }): string {
  let before = "";
  for (let i = at - 1; i >= 0 && before.trimStart().length < 10; i--) {
    if (kinds[i] === "code") before = source[i] + before;
  }
  return before;
}

function endOfLine(source: string, from: number): number {
  const end = source.indexOf("\n", from);
  return end < 0 ? source.length : end;
}

function endAfter(source: string, { text, from }: { text: string; from: number }): number {
  const found = source.indexOf(text, from);
  return found < 0 ? source.length : found + text.length;
}

function endOfText(source: string, { quote, from }: { quote: string; from: number }): number {
  for (let i = from; i < source.length; i++) {
    if (source[i] === "\\") i++;
    else if (source[i] === quote || source[i] === "\n") return i + 1;
  }
  return source.length;
}

function endOfRegex(source: string, from: number): number {
  let isInClass = false;
  for (let i = from; i < source.length; i++) {
    const char = source[i];
    if (char === "\\") i++;
    else if (char === "[") isInClass = true;
    else if (char === "]") isInClass = false;
    else if (char === "\n" || (char === "/" && !isInClass)) return i + 1;
  }
  return source.length;
}

/** Behind the closing backtick, or behind the next `${`. */
function endOfTemplatePart(source: string, from: number): number {
  for (let i = from; i < source.length; i++) {
    if (source[i] === "\\") i++;
    else if (source[i] === "`") return i + 1;
    else if (source[i] === "$" && source[i + 1] === "{") return i + 2;
  }
  return source.length;
}
