/** The parsers of Prometheus itself and of its Python client: both come with `scripts/setup --tests`. */

/** Reads pages, each behind its length in bytes on a line; answers each with one line. */
const PYTHON_SERVER = `
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
pages = sys.stdin.buffer
for line in pages:
    text = pages.read(int(line)).decode("utf-8")
    try:
        for family in parse(text):
            pass
        print("ok", flush=True)
    except Exception as error:
        print(repr(error), flush=True)
`;
// The distribution's module is seen by the distribution's interpreter only.
const PYTHON = "/usr/bin/python3";

/** What promtool says of names that are legal but not as its authors like them. */
const LINT_CODE = 3;

/** False where a parser is missing. */
export async function hasPageParsers(): Promise<boolean> {
  const imports = ["-c", "import prometheus_client.openmetrics.parser"];
  return await canRun("promtool", ["--version"]) && await canRun(PYTHON, imports);
}

async function canRun(command: string, args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output())
      .success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Text goes to promtool, OpenMetrics to a Python that stays. */
export class PageParsers {
  #python: PythonParser | undefined;

  /** Throws with the parser's words if it does not accept the page. */
  async accept(format: "text" | "openmetrics", page: string): Promise<void> {
    const complaint = format === "text"
      ? await promtool(page)
      : await (this.#python ??= new PythonParser()).parse(page);
    if (complaint !== undefined) throw new Error(`${format}: ${complaint}\n${page}`);
  }

  async close(): Promise<void> {
    await this.#python?.close();
  }
}

async function promtool(page: string): Promise<string | undefined> {
  const child = new Deno.Command("promtool", {
    args: ["check", "metrics"],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(page));
  await writer.close();
  const { success, code, stderr } = await child.output();
  return success || code === LINT_CODE ? undefined : new TextDecoder().decode(stderr);
}

class PythonParser {
  readonly #child = new Deno.Command(PYTHON, {
    args: ["-c", PYTHON_SERVER],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  readonly #writer = this.#child.stdin.getWriter();
  readonly #answers = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();

  async parse(page: string): Promise<string | undefined> {
    const bytes = new TextEncoder().encode(page);
    await this.#writer.write(new TextEncoder().encode(`${bytes.length}\n`));
    await this.#writer.write(bytes);
    let answer = "";
    while (!answer.endsWith("\n")) {
      const { value, done } = await this.#answers.read();
      if (done) throw new Error("the Python parser ended: scripts/setup --tests");
      answer += value;
    }
    return answer === "ok\n" ? undefined : answer.trimEnd();
  }

  async close(): Promise<void> {
    await this.#writer.close();
    await this.#answers.cancel();
    await this.#child.status;
  }
}
