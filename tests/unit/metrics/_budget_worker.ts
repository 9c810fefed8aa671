/** Takes places until there are none, and tells how many it got. */

import { SeriesBudget, type SeriesBudgetHandle } from "../../../src/metrics/mod.ts";

/** The part of a worker's global scope that is used: its types are not those of the main thread. */
interface WorkerScope {
  onmessage: (event: MessageEvent<SeriesBudgetHandle>) => void;
  postMessage(taken: number): void;
  close(): void;
}

const scope = self as unknown as WorkerScope;

scope.onmessage = ({ data }) => {
  const budget = new SeriesBudget(data);
  let taken = 0;
  while (budget.take()) taken++;
  scope.postMessage(taken);
  scope.close();
};
