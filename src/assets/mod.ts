/** Files that kmeter ships: built-in gadgets, headers for gadget authors, licences, libbpf. */

// The packed program has its own answer: scripts/compile puts `archive.ts` in the place of `checkout.ts`.
export { listAssets, readAsset, shippedLibrary } from "./checkout.ts";
