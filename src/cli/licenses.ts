/** The licences of kmeter and of all that is in its program. */

import { listAssets, readAsset } from "../assets/mod.ts";

const OWN = "LICENSE";
const FOLDER = "scripts/licenses";

/** Every licence, its own first, each below a line `==== FILE`: the texts name each other by their files. */
export function licenseTexts(): string {
  return [OWN, ...listAssets(FOLDER)].map((asset) => {
    const file = asset.slice(asset.lastIndexOf("/") + 1);
    const text = new TextDecoder().decode(readAsset(asset));
    return `==== ${file}${asset === OWN ? ": kmeter" : ""}\n\n${text.trimEnd()}\n`;
  }).join("\n\n");
}
