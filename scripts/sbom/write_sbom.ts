/**
 * Writes down what is in a program: a CycloneDX 1.6 document as JSON, checked against the schema.
 *
 * Reads a `Contents` as JSON from standard input. Equal contents give equal bytes: the serial number is
 * made of the document, the time is that of the sources.
 *
 * Usage: deno run --allow-all --config scripts/sbom/deno.json scripts/sbom/write_sbom.ts < CONTENTS > SBOM
 */

import { Enums, Models, Serialize, Spec, Validation } from "@cyclonedx/cyclonedx-library";
// The validator looks for these three.
import "ajv";
import "ajv-formats";
import "ajv-formats-draft2019";
import { PackageURL } from "packageurl-js";
import { v5 as uuidOf } from "uuid";
import { type Contents, type HashName, type PackageUrl, type Part, partId } from "./contents.ts";

/** Namespace of the serial numbers. */
const SERIAL_NUMBERS = "a15a6773-74ca-4dcc-8428-f454eaeb57d7";

const KINDS = {
  application: Enums.ComponentType.Application,
  framework: Enums.ComponentType.Framework,
  library: Enums.ComponentType.Library,
  file: Enums.ComponentType.File,
} as const satisfies Record<Part["kind"], Enums.ComponentType>;

const HASHES = {
  "SHA-256": { kind: Enums.HashAlgorithm["SHA-256"], digits: 64 },
  "SHA-512": { kind: Enums.HashAlgorithm["SHA-512"], digits: 128 },
} as const satisfies Record<HashName, unknown>;

/** The document. Throws: Error with the schema's objections. */
async function formatSbom(contents: Contents): Promise<string> {
  const bom = describe(contents);
  bom.serialNumber = `urn:uuid:${uuidOf(serialize(bom), SERIAL_NUMBERS)}`;
  const text = `${serialize(bom)}\n`;
  const objections = await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text);
  if (objections !== null) throw new Error(`The schema objects: ${JSON.stringify(objections)}`);
  return text;
}

function describe({ program, parts, time, buildInputs }: Contents): Models.Bom {
  const root = componentOf(program);
  const components = new Map(parts.map((part) => [partId(part), componentOf(part)]));
  const inner = new Set<string>();
  for (const part of parts) {
    for (const id of part.holds ?? []) {
      known(components, partId(part)).dependencies.add(known(components, id).bomRef);
      inner.add(id);
    }
  }
  for (const [id, { bomRef }] of components) if (!inner.has(id)) root.dependencies.add(bomRef);
  const inputs = Object.entries(buildInputs)
    .map(([name, value]) => new Models.Property(`kmeter:build:${name}`, value));
  return new Models.Bom({
    components: new Models.ComponentRepository(components.values()),
    metadata: new Models.Metadata({
      component: root,
      timestamp: new Date(time * 1000),
      lifecycles: new Models.LifecycleRepository([Enums.LifecyclePhase.Build]),
      properties: new Models.PropertyRepository(inputs),
    }),
  });
}

function known(components: ReadonlyMap<string, Models.Component>, id: string): Models.Component {
  const component = components.get(id);
  if (component === undefined) throw new Error(`The contents name no part "${id}"`);
  return component;
}

function componentOf(part: Part): Models.Component {
  const { kind, name, version, description, license, packageUrl, cpe } = part;
  const url = packageUrl && urlOf(packageUrl);
  return new Models.Component(KINDS[kind], name, {
    bomRef: url ?? partId(part),
    version,
    description,
    licenses: new Models.LicenseRepository(
      license === undefined ? [] : [new Models.LicenseExpression(license)],
    ),
    purl: url,
    cpe,
    hashes: hashesOf(part),
  });
}

/** Checks them too: what is no digest, the library leaves out without a word. */
function hashesOf({ name, hashes }: Part): Models.HashDictionary {
  const checked = new Models.HashDictionary();
  for (const [algorithm, digest] of Object.entries(hashes)) {
    const { kind, digits } = HASHES[algorithm as HashName];
    if (!/^[0-9a-f]+$/.test(digest) || digest.length !== digits) {
      throw new Error(
        `The ${algorithm} of ${name} is "${digest}", wanted ${digits} hexadecimal digits`,
      );
    }
    checked.set(kind, digest);
  }
  return checked;
}

function urlOf({ type, namespace, name, version, qualifiers }: PackageUrl): string {
  return new PackageURL(type, namespace, name, version, qualifiers).toString();
}

function serialize(bom: Models.Bom): string {
  const format = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  return new Serialize.JsonSerializer(format).serialize(bom, { sortLists: true, space: 2 });
}

if (import.meta.main) {
  const contents: Contents = JSON.parse(await new Response(Deno.stdin.readable).text());
  await Deno.stdout.write(new TextEncoder().encode(await formatSbom(contents)));
}
