/** The limits that kmeter sets itself, from the code that enforces them. */

import {
  LIBBPF_LINE_BYTES,
  LIBBPF_LOG_LINES,
  VERIFIER_LINES_SHOWN,
  VERIFIER_LOG_BYTES,
} from "../../ffi/mod.ts";
import { CATCH_UP_MS, MAX_REFUSALS, STOP_MS } from "../engine/mod.ts";
import {
  CONNECTION_LIMITS,
  DEFAULT_MAX_QUEUE_BYTES,
  DEFAULT_SCRAPE_LIMITS,
  MAX_HEAD_BYTES,
  MAX_STATUS_SERIES,
  PAGE_WINDOW_BYTES,
  PUSH_AT_END_MS,
} from "../export/mod.ts";
import {
  DEFAULT_SERIES_LIMIT,
  DEFAULT_TOTAL_SERIES_LIMIT,
  MAX_LABEL_BYTES,
  MAX_SERIES,
} from "../metrics/mod.ts";
import { END_STEP_MS, MAX_WAITING_BYTES, START_STEP_MS } from "../operators/mod.ts";
import { MAX_PENDING_BYTES } from "./control_connection.ts";
import { MAX_CONTROL_CONNECTIONS } from "./control_server.ts";
import { MAX_LOG_LINES } from "./instance_log.ts";
import { FULL_BYTES, PATIENCE_MS } from "./output_queue.ts";
import { MAX_WARNINGS, WARNING_WINDOW_MS } from "./warning_limit.ts";

/** One limit in force. */
export interface Limit {
  readonly subject: string;
  /** With its unit. */
  readonly value: string;
  /** What is over it comes to, and what changes it. */
  readonly effect: string;
}

/** All limits, those of series first. */
export function limitsInForce(): Limit[] {
  const { maxScrapes, maxMs, maxIdleMs } = DEFAULT_SCRAPE_LIMITS;
  return [
    {
      subject: "series of a data source",
      value: String(DEFAULT_SERIES_LIMIT),
      effect:
        `more go to the series otel_metric_overflow="true"; metrics.limit sets it, up to ${MAX_SERIES}`,
    },
    {
      subject: "series of all data sources",
      value: String(DEFAULT_TOTAL_SERIES_LIMIT),
      effect: "more go there too; --metrics-limit sets it",
    },
    {
      subject: "label value",
      value: size(MAX_LABEL_BYTES),
      effect: "a longer one is cut and ends in …; kmeter_labels_truncated_total counts such series",
    },
    ...connectionLimits(),
    {
      subject: "scrapes at a time",
      value: String(maxScrapes),
      effect: `more get a 503, unless one of these has taken nothing for ${seconds(maxIdleMs)}`,
    },
    {
      subject: "time of a scrape",
      value: seconds(maxMs),
      effect: "then it is cut off",
    },
    {
      subject: "page kept for a scraper",
      value: size(PAGE_WINDOW_BYTES),
      effect: "who is further behind another gets the rest rendered again",
    },
    {
      subject: "series on the page at /",
      value: `${MAX_STATUS_SERIES} of a data source`,
      effect: "those that counted most; /metrics has all",
    },
    {
      subject: "queue of an exporter",
      value: size(DEFAULT_MAX_QUEUE_BYTES),
      effect: "then nothing is pushed, and the next push covers that time; maxQueueBytes sets it",
    },
    {
      subject: "last push",
      value: seconds(PUSH_AT_END_MS),
      effect: "what is not sent by then is lost and counted",
    },
    {
      subject: "rows for an operator",
      value: size(MAX_WAITING_BYTES),
      effect: "more are left out and counted",
    },
    {
      subject: "start of an operator",
      value: seconds(START_STEP_MS),
      effect: `and ${
        seconds(END_STEP_MS)
      } for its end; then it is left out, and kmeter_operator_up is 0`,
    },
    {
      subject: "wait for events",
      value: seconds(CATCH_UP_MS),
      effect: "then a scrape shows what is counted, and kmeter_consumer_up is 0",
    },
    {
      subject: "wait at the end",
      value: seconds(STOP_MS),
      effect: "for events to be counted; then kmeter ends with an error",
    },
    {
      subject: "programs left out",
      value: String(MAX_REFUSALS),
      effect: "a gadget of which the kernel refuses to load more does not run",
    },
    {
      subject: "warnings",
      value: `${MAX_WARNINGS} in ${seconds(WARNING_WINDOW_MS)}`,
      effect: "more are left out and counted",
    },
    {
      subject: "output on its way",
      value: size(FULL_BYTES),
      effect: "then events wait in their buffer, which counts what it loses",
    },
    {
      subject: "wait for who reads it",
      value: seconds(PATIENCE_MS),
      effect: "while nothing is taken; then a table is left out, and at the end all the rest",
    },
    {
      subject: "commands at kmeter serve",
      value: String(MAX_CONTROL_CONNECTIONS),
      effect: "more are refused",
    },
    {
      subject: "rows for one of them",
      value: size(MAX_PENDING_BYTES),
      effect: "more are left out and counted, unless they are one table",
    },
    {
      subject: "kmeter logs",
      value: `${MAX_LOG_LINES} lines`,
      effect: "of each gadget; the oldest go first",
    },
    {
      subject: "verifier's log",
      value: size(VERIFIER_LOG_BYTES),
      effect: `of which an error shows the last ${VERIFIER_LINES_SHOWN} lines`,
    },
    {
      subject: "libbpf's log",
      value: `${LIBBPF_LOG_LINES} lines of ${size(LIBBPF_LINE_BYTES)}`,
      effect: "the oldest go first",
    },
  ];
}

function connectionLimits(): Limit[] {
  const { maxConnections, headMs, idleMs, answerMs, stalledMs } = CONNECTION_LIMITS;
  return [
    {
      subject: "HTTP connections",
      value: String(maxConnections),
      effect: "for more, one without a request is closed, or one that has taken nothing for " +
        seconds(stalledMs),
    },
    {
      subject: "head of a request",
      value: `${size(MAX_HEAD_BYTES)} in ${seconds(headMs)}`,
      effect: "more gets a 431, later is closed; bodies are not read",
    },
    {
      subject: "wait for the next request",
      value: seconds(idleMs),
      effect: "then the connection is closed",
    },
    {
      subject: "time of an answer",
      value: seconds(answerMs),
      effect: "then the connection is closed",
    },
  ];
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

function size(bytes: number): string {
  return bytes >= 1 << 20 ? `${bytes / (1 << 20)} MiB` : `${bytes / 1024} KiB`;
}
