/** What the engine tells about itself at scrape time, as plain data. */

/** State of one gadget. */
export interface GadgetStats {
  readonly gadget: string;
  /** False if it could not start, or has failed. */
  readonly isUp: boolean;
  /** Why it does not run; absent if it does. */
  readonly reason?: string;
}

/** Counts of one data source since it started. */
export interface DataSourceStats {
  readonly gadget: string;
  readonly dataSource: string;
  /** Records taken from the kernel. */
  readonly eventsReceived: number;
  /** Records the kernel could not hand over, by reason, for example `buffer_full`. */
  readonly eventsLost: Readonly<Record<string, number>>;
  /** Records taken but not understood, by reason, for example `too_short`. */
  readonly decodeErrors: Readonly<Record<string, number>>;
  /** Live series. */
  readonly series: number;
  /** Highest number of series; absent if nothing is collected. */
  readonly seriesLimit?: number;
  /** Updates that went to the overflow series because of a cardinality limit. */
  readonly seriesOverflow: number;
  /** Series with a label value that was cut. */
  readonly labelsTruncated: number;
  /** Only for data sources that read a map. */
  readonly map?: MapStats;
}

/** State of a map and of its reader. */
export interface MapStats {
  readonly entries: number;
  readonly maxEntries: number;
  /** Duration of the latest complete read, in seconds. */
  readonly fetchDurationSeconds: number;
  readonly fetchErrors: number;
  /** Reads that found the map full; absent where a full map does not refuse new keys. */
  readonly fullReads?: number;
}

/** State of the thread that counts a gadget's events. */
export interface ConsumerStats {
  readonly gadget: string;
  /** False if it had not counted what was in the buffers a second after the last scrape asked it to. */
  readonly isUp: boolean;
}

/** State of one eBPF program. */
export interface ProgramStats {
  readonly gadget: string;
  readonly program: string;
  /** ELF section, for example `tp_btf/sched_switch`. */
  readonly section: string;
  readonly isAttached: boolean;
  /** Why the program is not attached; "" if it is. */
  readonly reason: string;
  /** Absent where the kernel does not measure it (`kernel.bpf_stats_enabled`). */
  readonly runTimeSeconds?: number;
  readonly runCount?: number;
}

/** What an OTLP exporter has done. */
export interface PushStats {
  readonly exporter: string;
  /** Data points that the collector has taken. */
  readonly sent: number;
  /** Data points that it refused for good. */
  readonly refused: number;
  /** Data points that could not be sent any more when kmeter ended. */
  readonly unsent: number;
  /** Data points that wait to be sent. */
  readonly queued: number;
  /** Requests that failed, by reason. */
  readonly failures: Readonly<Record<string, number>>;
  /** Pushes left out, because enough waited. */
  readonly skipped: number;
}

/** What an operator in a thread of its own has done. */
export interface OperatorStats {
  readonly operator: string;
  readonly isUp: boolean;
  /** Rows that it has taken. */
  readonly rows: number;
  /** Rows left out, because it was slow or had failed. */
  readonly lostRows: number;
}

/** Places for the series of all data sources together. */
export interface SeriesPlaces {
  /** Series that have one, those included that have left and may return. */
  readonly taken: number;
  readonly limit: number;
}

/** Everything at one moment. */
export interface OwnMetricsSnapshot {
  readonly gadgets: readonly GadgetStats[];
  /** Absent before anything runs. */
  readonly seriesPlaces?: SeriesPlaces;
  readonly dataSources: readonly DataSourceStats[];
  readonly programs: readonly ProgramStats[];
  /** Of the gadgets that count events. */
  readonly consumers: readonly ConsumerStats[];
  /** Absent where nothing is pushed. */
  readonly pushes?: readonly PushStats[];
  /** Absent where there are no operators of others. */
  readonly operators?: readonly OperatorStats[];
}
