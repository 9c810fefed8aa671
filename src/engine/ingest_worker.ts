/** Entry of the ingest thread. */

import type { IngestJob, IngestReply } from "./ingest_job.ts";
import { runIngest } from "./ingest_loop.ts";

/** The part of a worker's global scope that is used: its types are not those of the main thread. */
interface WorkerScope {
  onmessage: (event: MessageEvent<IngestJob>) => void;
  postMessage(reply: IngestReply): void;
  close(): void;
}

const scope = globalThis as unknown as WorkerScope;

scope.onmessage = async ({ data }) => {
  try {
    await runIngest(data, () => scope.postMessage({ kind: "ready" }));
    scope.postMessage({ kind: "stopped" });
  } catch (error) {
    scope.postMessage({ kind: "failed", error });
  }
  scope.close();
};
