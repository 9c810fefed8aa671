/** Splits a file into its YAML documents: a parser that takes one at a time can then name the line in the file. */

/** Documents in order, each with blank lines in the place of those before it. Empty ones are left out. */
export function splitDocuments(text: string): string[] {
  const documents: string[] = [];
  let begin = 0;
  const lines = text.split("\n");
  for (let at = 0; at <= lines.length; at++) {
    const isBorder = at === lines.length || /^(---|\.\.\.)(\s|$)/.test(lines[at]);
    if (!isBorder) continue;
    const body = lines.slice(begin, at);
    if (body.some((line) => /^\s*[^\s#]/.test(line))) {
      documents.push("\n".repeat(begin) + body.join("\n"));
    }
    begin = at + 1;
  }
  return documents;
}
