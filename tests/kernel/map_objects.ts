/** Maps of gadgets' objects without the gadgets, for tests of the reader. */

import { BpfMap, BpfObject, runProgram } from "../../ffi/mod.ts";
import type { MapReader } from "../../src/sources/mod.ts";

/** Loads a gadget's object without its gadget. */
export async function loadObject(folder: string): Promise<BpfObject> {
  const object = new BpfObject(await Deno.readFile(`${folder}/program.bpf.o`), { name: "reader" });
  object.load();
  return object;
}

/** A map by its name. */
export function findMap(object: BpfObject, name: string): BpfMap {
  const map = object.maps().find((candidate) => candidate.name === name);
  if (map === undefined) throw new Error(`no map ${name}`);
  return map;
}

/** Runs a `SEC("syscall")` program of an object with 64-bit arguments. */
export async function runOf(
  object: BpfObject,
  name: string,
  args: readonly number[],
): Promise<void> {
  const program = object.programs().find((candidate) => candidate.name === name);
  if (program === undefined) throw new Error(`no program ${name}`);
  await runProgram(program.fd, new Uint8Array(BigUint64Array.from(args, BigInt).buffer));
}

/** Makes batch calls fail until disposed, as on a kernel that has none for the type of map. */
export function withoutBatchCalls(): Disposable {
  const { prototype } = BpfMap;
  const { lookupBatch, lookupBatchAside } = prototype;
  prototype.lookupBatch = () => "unsupported";
  prototype.lookupBatchAside = () => Promise.resolve("unsupported");
  return {
    [Symbol.dispose]: () => void Object.assign(prototype, { lookupBatch, lookupBatchAside }),
  };
}

/** Hex of each key → hex of its value. @throws if a key comes twice. */
export async function readEntries(
  reader: MapReader,
  options: { remove: boolean },
): Promise<Map<string, string>> {
  const entries = new Map<string, string>();
  const hex = (view: DataView, offset: number, size: number) =>
    new Uint8Array(view.buffer, view.byteOffset + offset, size).toHex();
  await reader.readAll((batch) => {
    for (let entry = 0; entry < batch.count; entry++) {
      const { keySizeBytes } = reader.map;
      const key = hex(batch.keys, entry * keySizeBytes, keySizeBytes);
      if (entries.has(key)) throw new Error(`key ${key} came twice`);
      const stride = reader.valueStrideBytes;
      entries.set(key, hex(batch.values, entry * stride, stride));
    }
  }, options);
  return new Map([...entries].sort(([a], [b]) => a < b ? -1 : 1));
}
