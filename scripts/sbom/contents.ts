/** What is in a program, as scripts/dist finds it and scripts/sbom writes it down: data that goes through a pipe. */

/** A program and its parts. */
export interface Contents {
  readonly program: Part;
  readonly parts: readonly Part[];
  /** When the sources were committed. Unit: seconds since 1970. */
  readonly time: number;
  /** What the bytes of the program depend on and do not show: compilers and the kernel's types, by name. */
  readonly buildInputs: Readonly<Record<string, string>>;
}

/** Something that has a name, a licence and perhaps a place where it is published. */
export interface Part {
  readonly kind: "application" | "framework" | "library" | "file";
  readonly name: string;
  /** Absent where the part does not tell. */
  readonly version?: string;
  readonly description: string;
  /** SPDX expression; absent where the part does not tell. */
  readonly license?: string;
  readonly packageUrl?: PackageUrl;
  /** Common Platform Enumeration 2.3, where reports of vulnerabilities use one. */
  readonly cpe?: string;
  /** Hexadecimal digests: of the file, for a package those of what is published. */
  readonly hashes: Readonly<Partial<Record<HashName, string>>>;
  /** Parts of this part, as `partId` names them. */
  readonly holds?: readonly string[];
}

/** How `holds` names a part. */
export function partId({ name, version }: Part): string {
  return version === undefined ? name : `${name}@${version}`;
}

/** Names that CycloneDX gives the algorithms. */
export type HashName = "SHA-256" | "SHA-512";

/** The fields of https://github.com/package-url/purl-spec, not yet encoded. */
export interface PackageUrl {
  readonly type: "npm" | "deb" | "github" | "cargo" | "generic";
  readonly namespace?: string;
  readonly name: string;
  readonly version: string;
  readonly qualifiers?: Readonly<Record<string, string>>;
}
