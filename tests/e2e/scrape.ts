/** Pages that a running kmeter serves. */

import type { ChildProcess } from "./kmeter_process.ts";

/** Flag that serves metrics on a port of the kernel's choice, so that tests do not meet. */
export const ANY_PORT = "--listen=127.0.0.1:0";

/** Waits until the gadget runs. @returns the address of the server, without a slash at the end. */
export async function servedAt(kmeter: ChildProcess): Promise<string> {
  const [, address] = await kmeter.waitFor("stderr", /metrics at (https?:\S+)\/metrics/);
  return address;
}

/** The metrics page as text. */
export async function readPage(address: string, accept = "text/plain"): Promise<string> {
  const response = await fetch(`${address}/metrics`, { headers: { accept } });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`status ${response.status}: ${text}`);
  return text;
}

/** Lines of the page that are a family's samples and have all the given labels, without the scope's. */
export function samplesOf(page: string, family: string, ...labels: readonly string[]): string[] {
  return page.split("\n")
    .filter((line) =>
      line.startsWith(`${family}{`) && labels.every((label) => line.includes(label))
    )
    .map((line) => line.replace(/otel_scope_name="[^"]*",?/g, ""));
}

/** Waits until the page satisfies the reader. Throws: Error with the last page. */
export async function pageWith(
  address: string,
  isEnough: (page: string) => boolean,
): Promise<string> {
  const deadlineMs = performance.now() + 5000;
  for (;;) {
    const page = await readPage(address);
    if (isEnough(page)) return page;
    if (performance.now() > deadlineMs) throw new Error(`the page never had it:\n${page}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
