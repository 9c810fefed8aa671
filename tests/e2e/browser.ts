/** A headless Chromium, driven by its DevTools protocol. */

import { ChildProcess } from "./kmeter_process.ts";

/** Debian's smallest build of it; scripts/setup --tests installs it. */
export const CHROMIUM = "/usr/bin/chromium-headless-shell";

const START_MS = 30_000;
const CALL_MS = 30_000;
const POLL_MS = 50;

/** How a page is looked at. */
export interface Look {
  readonly widthPixels: number;
  readonly colorScheme: "light" | "dark";
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface Evaluated {
  readonly result: { readonly value: unknown };
  readonly exceptionDetails?: unknown;
}

/** One browser with one page. Ownership: `await using` ends it and removes its folder. */
export class Browser implements AsyncDisposable {
  /** What the page's console, its errors, and the browser had to say of it, such as breaches of its policy. */
  readonly complaints: string[] = [];
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>();
  #socket: WebSocket | undefined;
  #session: string | undefined;
  #lastId = 0;

  static async start(): Promise<Browser> {
    const browser = new Browser();
    try {
      await browser.#connect();
      return browser;
    } catch (error) {
      await browser[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor() {
    this.#folder = Deno.makeTempDirSync({ prefix: "kmeter-browser-" });
    this.#child = new ChildProcess([
      CHROMIUM,
      // The tests run as root, where it has no sandbox; it sees no page but kmeter's.
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--remote-debugging-port=0",
      `--user-data-dir=${this.#folder}`,
      "about:blank",
    ]);
  }

  async #connect(): Promise<void> {
    const [, address] = await this.#child.waitFor("stderr", /DevTools listening on (ws:\S+)/, {
      timeoutMs: START_MS,
    });
    const socket = new WebSocket(address);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    const { targetId } = await this.#call<{ targetId: string }>("Target.createTarget", {
      url: "about:blank",
    });
    const { sessionId } = await this.#call<{ sessionId: string }>("Target.attachToTarget", {
      targetId,
      flatten: true,
    });
    this.#session = sessionId;
    for (const domain of ["Page", "Runtime", "Log"]) await this.#call(`${domain}.enable`);
  }

  #take({ id, method, params, result, error }: Message): void {
    if (id !== undefined) {
      const call = this.#calls.get(id);
      this.#calls.delete(id);
      if (error === undefined) call?.resolve(result);
      else call?.reject(new Error(error.message));
    } else if (
      method === "Runtime.consoleAPICalled" || method === "Runtime.exceptionThrown" ||
      method === "Log.entryAdded"
    ) {
      this.complaints.push(JSON.stringify(params));
    }
  }

  async #call<T>(method: string, params: Record<string, unknown> = {}): Promise<T> {
    const id = ++this.#lastId;
    const call = Promise.withResolvers<unknown>();
    this.#calls.set(id, call);
    this.#socket?.send(JSON.stringify({ id, method, params, sessionId: this.#session }));
    const timer = setTimeout(() => call.reject(new Error(`${method}: no answer`)), CALL_MS);
    try {
      // The protocol's types are those of its documentation.
      return await call.promise as T;
    } finally {
      clearTimeout(timer);
    }
  }

  /** From now on the page is seen like this. */
  async look({ widthPixels, colorScheme }: Look): Promise<void> {
    await this.#call("Emulation.setDeviceMetricsOverride", {
      width: widthPixels,
      height: 900,
      deviceScaleFactor: 1,
      mobile: widthPixels < 600,
    });
    await this.#call("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: colorScheme }],
    });
  }

  async open(url: string): Promise<void> {
    await this.#call("Page.navigate", { url });
  }

  /** Value of an expression in the page, as JSON has it. Throws: Error if it throws. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.#call<Evaluated>("Runtime.evaluate", {
      expression,
      returnByValue: true,
      awaitPromise: true,
    });
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return result.value as T;
  }

  /** Waits until an expression is true. Throws: Error with the page's text. */
  async waitUntil(expression: string, timeoutMs = 30_000): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs;
    while (!await this.evaluate<boolean>(`Boolean(${expression})`)) {
      if (performance.now() > deadlineMs) {
        const text = await this.evaluate<string>("document.body.innerText");
        throw new Error(`never true: ${expression}\n${text}\n${this.complaints.join("\n")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** The whole page as PNG. */
  async screenshot(): Promise<Uint8Array> {
    const { data } = await this.#call<{ data: string }>("Page.captureScreenshot", {
      captureBeyondViewport: true,
    });
    return Uint8Array.fromBase64(data);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      // Its other processes hold its output open: it ends them, and a signal would not.
      const browser = this.#session;
      this.#session = undefined;
      if (browser !== undefined) await this.#call("Browser.close");
      await this.#child.finish();
    } finally {
      this.#socket?.close();
    }
    Deno.removeSync(this.#folder, { recursive: true });
  }
}
