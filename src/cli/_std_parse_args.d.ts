/** Types of the part of `@std/cli/parse-args` that kmeter uses. */

export interface ParseOptions {
  readonly boolean?: readonly string[];
  readonly string?: readonly string[];
  readonly collect?: readonly string[];
  readonly alias?: Readonly<Record<string, string>>;
  readonly stopEarly?: boolean;
  readonly unknown?: (argument: string, key?: string, value?: unknown) => unknown;
}

export function parseArgs(
  args: readonly string[],
  options: ParseOptions,
): { _: (string | number)[] } & Record<string, unknown>;
