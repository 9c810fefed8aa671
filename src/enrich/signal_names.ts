/** Signal numbers of Linux; x86_64 and arm64 share them. */

const STANDARD_SIGNALS = (
  "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP " +
  "TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
).split(" ");

/** What `kill -l` calls SIGRTMIN: libc keeps the kernel's first two (32, 33) for itself. */
const RT_MIN = 34;
const RT_MAX = 64;

/** Name of a signal: `SIGKILL`, `SIGRTMIN+2` (numbered as `kill -l` does), `signal#N` if unknown. */
export function signalText(signal: number): string {
  if (signal >= 1 && signal <= STANDARD_SIGNALS.length) return `SIG${STANDARD_SIGNALS[signal - 1]}`;
  if (signal === RT_MIN) return "SIGRTMIN";
  if (signal > RT_MIN && signal <= RT_MAX) return `SIGRTMIN+${signal - RT_MIN}`;
  return `signal#${signal}`;
}

/** All names, in the order of their numbers. */
export function signalNames(): string[] {
  const first = STANDARD_SIGNALS.map((_, index) => signalText(index + 1));
  const rest = Array.from(
    { length: RT_MAX - RT_MIN + 1 },
    (_, index) => signalText(RT_MIN + index),
  );
  return [...first, ...rest];
}
