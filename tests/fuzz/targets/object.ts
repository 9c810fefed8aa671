/**
 * Object files: `parseGadget` on damaged ones; what passes is planned, generated, fed with random
 * records and shown, and opened by libbpf. Nothing is loaded into the kernel.
 */

import { BpfObject, readElf } from "../../../ffi/mod.ts";
import { type ParsedGadget, parseGadget } from "../../../src/engine/mod.ts";
import type { RecordBytes } from "../../../src/decode/mod.ts";
import { createFormatters } from "../../../src/enrich/mod.ts";
import { type DataSourceSpec, metricRoles } from "../../../src/gadget/mod.ts";
import { compileIngest, createMetricSet, makePlan, SeriesStore } from "../../../src/metrics/mod.ts";
import { createRowView } from "../../../src/view/mod.ts";
import { sampleEnvironment } from "../../unit/enrich/sample_environment.ts";
import { rowsOf } from "../../unit/metrics/batches.ts";
import { Random } from "../../unit/random.ts";
import { mutateBytes, type Region } from "../mutate.ts";
import { type FuzzTarget, parseOrRefuse } from "../target.ts";
import { btfRegions } from "./btf.ts";
import { builtinObjects } from "./seeds.ts";

const ELF_HEADER_BYTES = 64;
const SECTION_HEADER_BYTES = 64;
const RECORD_MAX_BYTES = 1 << 16;

const seeds = builtinObjects();
const folder = Deno.makeTempDirSync({ prefix: "kmeter_fuzz_" });

export const objectTarget: FuzzTarget = {
  name: "object",
  make(random) {
    const { object } = random.pick(seeds);
    return mutateBytes(random, object, objectRegions(object));
  },
  check(bytes) {
    const file = `${folder}/hostile.bpf.o`;
    Deno.writeFileSync(file, bytes);
    const annotate = ["metrics.implicit-counter.name=events"];
    const gadget = parseOrRefuse(() => parseGadget(file, []));
    if (gadget === undefined) return;
    for (const spec of gadget.spec.dataSources) {
      // Most gadgets say in their gadget.yaml what counts; here every field is a key.
      const items = annotate.map((item) => `${spec.name.replaceAll(",", "\\,")}:${item}`);
      const annotated = parseOrRefuse(() => parseGadget(file, items));
      const own = annotated?.spec.dataSources.find(({ name }) => name === spec.name);
      if (own !== undefined) runDataSource(own);
    }
    openInLibbpf(gadget);
  },
};

/** The ELF header, the section headers, the symbols, the parts of the BTF, BTF.ext and the code. */
function objectRegions(object: Uint8Array<ArrayBuffer>): Region[] {
  const view = new DataView(object.buffer, object.byteOffset, object.byteLength);
  const headers = Number(view.getBigUint64(40, true));
  const { sections } = readElf(object, "seed");
  const regions = [...sections].filter(([name]) => name !== "" && !name.startsWith(".debug"))
    .flatMap(([name, bytes]) => {
      const begin = bytes.byteOffset - object.byteOffset;
      return name === ".BTF" ? btfRegions(bytes, begin) : [{ begin, end: begin + bytes.length }];
    });
  return [
    ...regions,
    { begin: 0, end: ELF_HEADER_BYTES },
    { begin: headers, end: headers + view.getUint16(60, true) * SECTION_HEADER_BYTES },
  ];
}

/** Names of the object reach the generated code, the labels and the views. */
function runDataSource(spec: DataSourceSpec): void {
  const { recordSizeBytes, valueSizeBytes, fields } = spec;
  if (recordSizeBytes + valueSizeBytes > RECORD_MAX_BYTES) return;
  const formatters = createFormatters(fields, sampleEnvironment());
  const roles = parseOrRefuse(() => metricRoles(spec));
  if (roles === undefined) return;
  const keys = fields.slice(0, 40).map((field) => ({ field, label: field.name }));
  const plan = makePlan({ ...roles, keys, limit: 10 }, {
    fields,
    filter: [],
    recordSizeBytes,
    valueSizeBytes,
  });
  const random = new Random(recordSizeBytes);
  const rows = Array.from({ length: 4 }, () => ({
    key: random.bytes(recordSizeBytes),
    value: random.bytes(valueSizeBytes),
  }));
  const store = new SeriesStore(plan);
  compileIngest(plan, { store, formatters, skipZeroEntries: false, atomicHeaders: false })
    .rows(rowsOf(rows));
  const set = createMetricSet({ scope: spec.name, plan, memory: store.memory, formatters });
  for (let series = 0; series < set.seriesCount; series++) set.labelValues(series);
  const records = rows.map(({ key, value }): RecordBytes => ({
    segments: [new DataView(key.buffer), new DataView(value.buffer)],
    offsets: [0, 0],
  }));
  for (const mode of ["columns", "json", "yaml"] as const) {
    const view = parseOrRefuse(() =>
      createRowView(mode, { fields, formatters, widthColumns: () => 80, isTty: true })
    );
    if (view !== undefined) { for (const record of records) view.row(record); }
  }
}

function openInLibbpf({ files, spec }: ParsedGadget): void {
  const opened = parseOrRefuse(() => new BpfObject(files.object, { name: spec.name }), {
    needsHint: false,
  });
  opened?.close();
}
