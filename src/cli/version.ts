/** `kmeter version`. */

import { libbpfOrigin, libbpfVersion } from "../../ffi/mod.ts";
import { readAsset } from "../assets/mod.ts";
import { type CommandBody, HELP_FLAG } from "./command.ts";
import { type Flag, parseFlags, refuseArguments, refuseUnknownFlags } from "./flags.ts";
import { chooseLibbpf, LIBBPF_FLAG } from "./libbpf_flag.ts";
import { licenseTexts } from "./licenses.ts";
import { writeOutput } from "./output.ts";

/** The release that this code becomes; the same as in deno.json, which a test checks. */
export const VERSION = "0.1.0";

/** What the packer found with `git describe`; a checkout has no such file. */
const VERSION_ASSET = "version.txt";

const FLAGS: readonly Flag[] = [
  { name: "licenses", description: "print the licences of kmeter and of all that it ships" },
  LIBBPF_FLAG,
  HELP_FLAG,
];

export const versionCommand: CommandBody = {
  usage: "[flags]",
  flags: FLAGS,
  run(args) {
    const flags = parseFlags(args, FLAGS);
    refuseUnknownFlags(flags, FLAGS);
    refuseArguments(flags, "version");
    if (flags.has("licenses")) {
      writeOutput(licenseTexts());
      return 0;
    }
    chooseLibbpf(flags);
    writeOutput(
      `kmeter ${programVersion()}\nlibbpf ${libbpfVersion()} (${libbpfOrigin()})\n` +
        `deno ${Deno.version.deno}\nkernel ${Deno.osRelease()} ${Deno.build.arch}\n`,
    );
    return 0;
  },
};

/** What this kmeter calls itself: `0.1.0-3-g1c9347f30dab` if it is packed, `0.1.0+checkout` if not. */
export function programVersion(): string {
  const packed = readAsset(VERSION_ASSET);
  return packed === undefined ? `${VERSION}+checkout` : new TextDecoder().decode(packed).trim();
}
