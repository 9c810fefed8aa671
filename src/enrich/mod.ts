/** Value → text: names of numbers, times, addresses, accounts, kernel symbols. */

export { type AccountNamesOptions, createAccountNames, type FileAccess } from "./account_names.ts";
export { findAccount, type PasswdEntry } from "./accounts.ts";
export { endpointText, ipText, protocolText } from "./addresses.ts";
export { readClocks } from "./clocks.ts";
export type { ClockReading } from "./boot_clock.ts";
export { type EnrichEnvironment, hostEnvironment } from "./environment.ts";
export { errnoText } from "./errno_names.ts";
export { createFormatters } from "./formatters.ts";
export { KallsymsFile } from "./kallsyms_file.ts";
export { type KernelSymbol, KernelSymbols } from "./kernel_symbols.ts";
export { KERNEL_STACK_MAP, kernelStackReader, type StackMapHandle } from "./kernel_stacks.ts";
export { numberNames } from "./number_names.ts";
export { bytesText, durationText } from "./quantities.ts";
export { signalText } from "./signal_names.ts";
export { type Architecture, syscallNames } from "./syscall_names.ts";
