/** What ends a command that runs until it is told to. */

/** SIGINT, SIGTERM, the timeout, or whoever requests it. Ownership: `close()` gives the signals back. */
export class StopSignal {
  readonly #requested = Promise.withResolvers<void>();
  readonly #onSignal = () => this.request();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(signal, this.#onSignal);
    }
  }

  get requested(): Promise<void> {
    return this.#requested.promise;
  }

  request(): void {
    this.#requested.resolve();
  }

  after(timeoutMs: number): void {
    this.#timer = setTimeout(() => this.request(), timeoutMs);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.removeSignalListener(signal, this.#onSignal);
    }
  }
}
