/** The page at `/`, in a real browser: what it shows of gadgets that run, and what it withstands. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Browser, CHROMIUM } from "./browser.ts";
import { testWith } from "./cases.ts";
import { type ChildProcess, startKmeter } from "./kmeter_process.ts";
import { NamedProgram, Sandbox } from "./sandbox.ts";
import { servedAt } from "./scrape.ts";

/** Text that would run if it were taken for HTML, and text that would turn what stands around it. */
const HOSTILE = `<img src=x onerror=document.title='run'>`;
const CONTROLS = "\x1b[31m\u202e";

function serve(
  sandbox: Sandbox,
  { address, comm }: { address: string; comm: string },
): ChildProcess {
  return startKmeter(["serve", "-f", writeConfig(sandbox, { address, comm })]);
}

function writeConfig(
  sandbox: Sandbox,
  { address, comm }: { address: string; comm: string },
): string {
  const text = `listen: ${address}
socket: none
gadgets:
  - {gadget: trace_exec, filter: "proc.comm==${comm}", annotate: {"exec.args:metrics.type": key}}
  - profile_runqlat
  - {gadget: trace_exec, name: broken, btf: /etc/passwd}
`;
  return sandbox.write("kmeter.yaml", text);
}

/** Expression: the row of the table that names a program, as text. */
function rowOf(program: string): string {
  return `([...document.querySelectorAll("tbody tr")].find((row) =>
    row.textContent.includes(${JSON.stringify(program)}))?.innerText ?? "")`;
}

/** Expression: texts whose contrast with what is behind them is below 4.5, as WCAG 2 reckons it. */
const FAINT_TEXTS = `(() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const [r, g, b] = channels(color).map((value) => value / 255).map((value) =>
      value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const groundOf = (node) => {
    const color = getComputedStyle(node).backgroundColor;
    return channels(color)[3] === 0 ? groundOf(node.parentElement) : color;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) {
    const { textContent, parentElement } = walker.currentNode;
    if (textContent.trim() !== "" && parentElement.checkVisibility()) texts.push(parentElement);
  }
  const faint = texts.filter((node) => {
    const [dark, bright] = [getComputedStyle(node).color, groundOf(node)].map(light)
      .sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05) < 4.5;
  });
  return { count: texts.length, faint: faint.map((node) => node.textContent) };
})()`;

/** From now on `untold` has the places that say nothing yet of a rate, as soon as the page shows them. */
const WATCH_UNTOLD = `globalThis.untold = new Set();
new MutationObserver(() => {
  for (const place of [".tile .value", "figcaption .main", ".times"]) {
    const nodes = [...document.querySelectorAll(place)];
    if (nodes.some((node) => node.innerText.includes("collecting…"))) untold.add(place);
  }
}).observe(document.body, { subtree: true, childList: true, characterData: true });`;

testWith(
  "the page shows gadgets at work, in every light and width, and nothing of a stranger's runs",
  ["root", CHROMIUM],
  async () => {
    using sandbox = new Sandbox();
    using program = new NamedProgram();
    await using kmeter = serve(sandbox, { address: "127.0.0.1:0", comm: program.name });
    const address = await servedAt(kmeter);
    await using browser = await Browser.start();
    await browser.look({ widthPixels: 1440, colorScheme: "light" });
    await browser.open(address);

    await program.run(2, [HOSTILE, CONTROLS]);
    await browser.waitUntil(`/\\n2$/m.test(${rowOf(program.name)})`);
    const row = await browser.evaluate<string>(rowOf(program.name));
    assert(row.includes(HOSTILE), row);
    assert(row.includes("\\x1b[31m\\u202e"), row);
    await program.run(1, [HOSTILE, CONTROLS]);
    await browser.waitUntil(`/\\n3$/m.test(${rowOf(program.name)})`);
    assertEquals(await browser.evaluate("document.querySelector('img')"), null);
    assertEquals(await browser.evaluate("document.title"), "kmeter");

    await browser.waitUntil(`[...document.querySelectorAll("canvas")].some((canvas) =>
      canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
        .some((value) => value > 0))`);
    const texts = await browser.evaluate<string>("document.body.innerText");
    assertMatch(texts, /broken\s+down\s/);
    assertMatch(texts, /Does not run: Cannot load trace_exec/);
    assertMatch(texts, /% *\n+of one CPU, \d/);
    assertEquals(await browser.evaluate("document.querySelector('.card h2').innerText"), "broken");

    for (const widthPixels of [390, 1440]) {
      for (const colorScheme of ["light", "dark"] as const) {
        await browser.look({ widthPixels, colorScheme });
        const widths = await browser.evaluate<[number, number]>(
          "[document.documentElement.scrollWidth, innerWidth]",
        );
        assert(widths[0] <= widths[1], `${widths} at ${widthPixels} pixels`);
        const { count, faint } = await browser.evaluate<{ count: number; faint: string[] }>(
          FAINT_TEXTS,
        );
        assert(count > 50, `only ${count} texts`);
        assertEquals(faint, [], `${colorScheme}`);
      }
    }
    assertEquals(browser.complaints, []);

    // The first series of the gadget that takes its place is another one.
    using other = new NamedProgram();
    writeConfig(sandbox, { address: "127.0.0.1:0", comm: other.name });
    kmeter.kill("SIGHUP");
    await kmeter.waitFor(
      "stderr",
      /read again: 0 started, 1 restarted, 0 stopped, 1 as before, 1 failed/,
    );
    for (let series = 1; series <= 12; series++) await other.run(1, [`${series}`]);
    await browser.waitUntil(`/\\n1$/m.test(${rowOf(other.name)})`);
    assertEquals(await browser.evaluate(rowOf(program.name)), "");
    const table = "document.querySelector('div:has(> button)')";
    for (const [text, rows] of [["Show 2 more", 10], ["Show fewer", 12], ["Show 2 more", 10]]) {
      await browser.waitUntil(`${table}.lastChild.innerText === "${text}"`);
      assertEquals(await browser.evaluate(`${table}.querySelectorAll("tbody tr").length`), rows);
      await browser.evaluate(`${table}.lastChild.click()`);
    }

    kmeter.kill("SIGKILL");
    await kmeter.finish();
    await browser.waitUntil("document.body.dataset.state === 'lost'");
    await browser.evaluate(WATCH_UNTOLD);
    await using next = serve(sandbox, { address: new URL(address).host, comm: program.name });
    await servedAt(next);
    await browser.waitUntil("document.body.dataset.state === 'live'");
    await browser.waitUntil("untold.size === 3");
    await browser.waitUntil("!/collecting/.test(document.body.innerText)");
  },
);
