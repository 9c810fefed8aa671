/** What kmeter tells the service manager that started it, such as systemd. */

import { sendNotification } from "../../ffi/mod.ts";
import { writeNotice } from "./output.ts";

/** States of sd_notify(3). */
export type ServiceState = "READY=1" | "STOPPING=1";

/** Tells the state to whoever listens at NOTIFY_SOCKET. That nobody hears it is a warning, and no failure. */
export function notifyServiceManager(state: ServiceState): void {
  const address = Deno.env.get("NOTIFY_SOCKET");
  if (address === undefined || address === "") return;
  try {
    sendNotification(address, `${state}\n`);
  } catch (error) {
    writeNotice(`warning: ${error instanceof Error ? error.message : String(error)}`);
  }
}
