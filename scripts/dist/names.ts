/** Names of files in dist/ that have no version. */

/** What is in the program, as CycloneDX. */
export const SBOM = "kmeter.cdx.json";
export const MAN_PAGE = "kmeter.1";
export const COMPLETIONS = ["kmeter.bash", "kmeter.zsh", "kmeter.fish"] as const;
/** What scripts/papers writes. */
export const PAPERS = [MAN_PAGE, ...COMPLETIONS] as const;
