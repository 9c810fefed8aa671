/** Inspektor Gadget's manifests: what `ig run -f` and `gadgetctl` take. */

import { FormatError, UnsupportedError } from "../errors.ts";
import {
  describeNode,
  keyOf,
  readItems,
  readMapping,
  readText,
  type YamlNode,
} from "../gadget/mod.ts";
import { suggestName } from "../text/mod.ts";
import type { Mistakes } from "./mistakes.ts";
import { entryOf, type FlagNode, type GadgetEntry } from "./gadget_entry.ts";

const KEYS = ["apiVersion", "kind", "image", "id", "name", "tags", "nodes", "paramValues"];
/** Parameters that narrow what is seen to some containers: without effect they would show too much. */
const SELECTION =
  /^operator\.(?:LocalManager|KubeManager)\.(?:containername|runtime-containerimage-\w+|k8s-\w+|podname|namespace|selector)$/;
/** Parameters of operators whose work kmeter does otherwise, or not at all. */
const IDLE =
  /^(?:runtime\..*|operator\.(?:LocalManager|KubeManager|KubeIPResolver|KubeNameResolver|SocketEnricher|cli|combiner|sort|limiter|uidgidresolver)\..*|operator\.oci\.(?:authfile|insecure-registries|pull|verify-image|validate-metadata|public-keys|allowed-gadgets|disallow-pulling|host))$/;
/** Parameters of ours, by the operator that has them there: `operator.oci.ebpf.pid` is `--pid`. */
const FLAG = /^operator\.(?:oci\.ebpf|oci\.wasm|oci|filter|otel-metrics)\.([a-z0-9_-]+)$/i;

/** Reads one document. */
export function readInstanceSpec(
  root: YamlNode,
  context: { keys: readonly string[]; mistakes: Mistakes; warnings: string[] },
): GadgetEntry {
  const { mistakes, warnings } = context;
  const children = new Map(readMapping(root).map((node) => [keyOf(node), node]));
  for (const [key, node] of children) {
    if (KEYS.includes(key)) continue;
    mistakes.add(
      `Unknown key in ${describeNode(node)}: "${key}"`,
      suggestName(key, KEYS, "keys here"),
    );
  }
  expectText(children.get("kind"), "instance-spec", root);
  expectText(children.get("apiVersion"), "1", root);
  const image = children.get("image");
  if (image === undefined) {
    throw new FormatError(`Missing key in ${describeNode(root)}: there is no "image"`, {
      hint: "image: trace_exec, or the path of a gadget's folder",
    });
  }
  const nodes = children.get("nodes");
  if (nodes !== undefined && readItems(nodes).length > 0) {
    warnings.push(`${describeNode(nodes)} has no effect: kmeter runs on this host only`);
  }
  const params = children.get("paramValues");
  const flags = (params === undefined ? [] : readMapping(params)).flatMap((node) =>
    mistakes.collect(() => flagOf(node, warnings)) ?? []
  );
  const name = children.get("name") ?? children.get("id");
  const gadget = { ...image, value: gadgetOf(image, warnings) };
  return entryOf(root, { gadget, name, flags, mistakes });
}

function expectText(node: YamlNode | undefined, wanted: string, root: YamlNode): void {
  const got = node === undefined ? undefined : readText(node);
  if (got === wanted) return;
  throw new FormatError(
    `Wrong value in ${describeNode(node ?? root)}: expected ${wanted}, got ${got ?? "nothing"}`,
    { hint: "kmeter knows documents of apiVersion: 1, kind: instance-spec" },
  );
}

/** An image is taken for the built-in gadget of its name: nothing is ever pulled. */
function gadgetOf(image: YamlNode, warnings: string[]): string {
  const text = readText(image);
  if (/^[./]/.test(text)) return text;
  const name = text.replace(/^.*\//, "").replace(/[:@].*$/, "");
  if (name !== text) {
    warnings.push(
      `${describeNode(image)}: kmeter's own ${name} runs in place of the image "${text}"`,
    );
  }
  return name;
}

function flagOf(node: YamlNode, warnings: string[]): FlagNode[] {
  const key = keyOf(node);
  const text = readText(node);
  if (SELECTION.test(key) && text !== "") {
    throw new UnsupportedError(
      `Unsupported key in ${describeNode(node)}: kmeter knows no containers`,
      {
        feature: key,
        hint: "leave it out to see the whole host, or use params.filter with a field of the gadget",
      },
    );
  }
  if (IDLE.test(key) || text === "") {
    if (text !== "") warnings.push(`${describeNode(node)} has no effect in kmeter serve`);
    return [];
  }
  const flag = FLAG.exec(key)?.[1];
  if (flag !== undefined) return [{ key: flag, node }];
  throw new FormatError(`Unknown parameter in ${describeNode(node)}: "${key}"`, {
    hint: "write operator.oci.ebpf.NAME for a parameter of the gadget",
  });
}
