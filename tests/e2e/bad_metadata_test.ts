/** Mistakes in gadget.yaml and --annotate: each is told with its place and, where there is one, the right name. */

import { assertOneError, type CommandCase, runCase, testWith } from "./cases.ts";
import { fixtureObject, Sandbox } from "./sandbox.ts";

/** A gadget.yaml beside a fixture's object, and what kmeter says of it. */
interface BadMetadata {
  readonly name: string;
  readonly fixture?: "exec_args" | "uid_execs";
  readonly yaml: string | Uint8Array;
  readonly annotate?: readonly string[];
  readonly code: 1 | 2;
  readonly stderr: RegExp;
}

function testBadMetadata(cases: readonly BadMetadata[]): void {
  for (const { name, fixture = "exec_args", yaml, annotate = [], code, stderr } of cases) {
    testWith(name, ["root"], async () => {
      using sandbox = new Sandbox();
      const object = await fixtureObject(fixture);
      const gadget = sandbox.gadget("mine", { object, metadata: yaml });
      const run: CommandCase = {
        name,
        run: [
          ...["run", gadget, "--listen=127.0.0.1:0", "-t", "2"],
          ...annotate.flatMap((text) => ["--annotate", text]),
        ],
        expect: { code, stdout: "", stderr },
        check: (outcome) => assertOneError(outcome.stderr),
      };
      await runCase(run);
    });
  }
}

/** Annotations of the data source `events`. */
const onSource = (annotations: string) =>
  `datasources:\n  events:\n    annotations:\n      ${annotations}\n`;
/** Annotations of the field `events.count`. */
const onCount = (annotations: string) =>
  `datasources:\n  events:\n    fields:\n      count:\n        annotations:\n          ${annotations}\n`;

testBadMetadata([
  {
    name: "YAML: a list that does not end, with line and column",
    yaml: "name: mine\ndatasources:\n  events:\n    fields: [\n",
    code: 1,
    stderr:
      /^error: Cannot read ".*mine\/gadget\.yaml" line 5, column 1: not YAML: [^]*\nhint: check indentation/,
  },
  {
    name: "YAML: a value where a key is wanted, with line and column",
    yaml: "name: mine\ndatasources:\n  events:\n    annotations\n    fields:\n",
    code: 1,
    stderr: /^error: Cannot read ".*gadget\.yaml" line [45], column \d+: not YAML: [^]*\nhint: /,
  },
  {
    name: "YAML: a key twice, with line and column",
    yaml: "name: mine\nname: yours\n",
    code: 1,
    stderr:
      /^error: Cannot read ".*gadget\.yaml" line 2, column 1: not YAML: .*duplicated key[^]*\nhint: /,
  },
  {
    name: "YAML: bytes that are no text",
    yaml: new Uint8Array([0xff, 0xfe, 0x00, 0x01]),
    code: 1,
    stderr: /^error: .*gadget\.yaml[^]*\nhint: /,
  },
  {
    name: "YAML: a list instead of a mapping",
    yaml: "- name\n- datasources\n",
    code: 1,
    stderr: /^error: Wrong value in .*gadget\.yaml.*: expected a mapping.*\nhint: /,
  },
  {
    name: "an unknown field, with its path in the file",
    yaml:
      "datasources:\n  events:\n    fields:\n      counts:\n        annotations:\n          metrics.type: key\n",
    code: 1,
    stderr:
      /^error: Unknown field in .*mine\/gadget\.yaml:4 \(datasources\.events\.fields\.counts\): .*\nhint: did you mean "count"\?/,
  },
  {
    name: "a misspelt data source",
    yaml: "datasources:\n  event:\n    annotations:\n      metrics.collect: true\n",
    code: 1,
    stderr:
      /^error: Unknown data source in .*gadget\.yaml:2 .*"event" is the name of a struct; its data source is called "events"\nhint: /,
  },
  {
    name: "the seed page's mistake: the map's name instead of the data source's",
    fixture: "uid_execs",
    yaml: "datasources:\n  metrics:\n    annotations:\n      metrics.collect: true\n",
    code: 1,
    stderr:
      /^error: Unknown data source in .*gadget\.yaml:2 \(datasources\.metrics\): "metrics" is the name of a map; its data source is called "mymetrics"\nhint: write "mymetrics", the name that GADGET_MAPITER\(mymetrics, metrics\) gives it/,
  },
  {
    name: "the seed page's mistake: matrics instead of metrics",
    yaml: onSource(
      "metrics.implicit-counter.name: eventctr\n      matrics.implicit-counter.description: number of events",
    ),
    code: 1,
    stderr:
      /^error: Unknown annotation in .*gadget\.yaml:5 .*"matrics\.implicit-counter\.description"\nhint: did you mean "metrics\.implicit-counter\.description"\?/,
  },
  {
    name: "the seed page as it is pasted: without its indentation",
    yaml: "datasources:\nevents:\nfields:\nname:\ncount:\n",
    code: 1,
    stderr:
      /^error: Misplaced key in .*gadget\.yaml:3 .*"fields" stands at the top of the file.*\nhint: check the indentation/,
  },
  {
    name: "a misspelt annotation key of a field",
    yaml: onCount("metrics.typ: counter"),
    code: 1,
    stderr:
      /^error: Unknown annotation in .*gadget\.yaml:6 .*"metrics\.typ"\nhint: did you mean "metrics\.type"\?/,
  },
  {
    name: "a misspelt annotation value",
    yaml: onCount("metrics.type: conter"),
    code: 1,
    stderr:
      /^error: Wrong value in .*gadget\.yaml:6 .*got "conter"\nhint: did you mean "counter"\?/,
  },
  {
    name: "an annotation of a field on the data source",
    yaml: onSource("metrics.type: counter"),
    code: 1,
    stderr:
      /^error: Misplaced annotation in .*gadget\.yaml:4 .*"metrics\.type" belongs to a field, .*\nhint: write it under datasources\.events\.fields/,
  },
  {
    name: "a flag that is neither true nor false",
    yaml: onSource("metrics.collect: perhaps"),
    code: 1,
    stderr:
      /^error: Wrong value in .*gadget\.yaml:4 .*"metrics\.collect" takes "true" or "false", got "perhaps"\nhint: /,
  },
  {
    name: "boundaries that do not ascend",
    yaml: onCount('metrics.boundaries: "1, 5, 3"'),
    code: 1,
    stderr:
      /^error: Wrong value in .*"metrics\.boundaries" takes ascending numbers.*\nhint: 3 does not exceed the 5 before it/,
  },
  {
    name: "a counter that is text",
    yaml: "",
    annotate: ["events.name:metrics.type=counter"],
    code: 2,
    stderr: /^error: Field "events\.name" cannot be a counter: its kind is cstring.*\nhint: /,
  },
  {
    name: "--annotate with an unknown data source",
    yaml: "",
    annotate: ["evnts:metrics.collect=true"],
    code: 2,
    stderr:
      /^error: Unknown data source in --annotate "evnts:metrics\.collect=true".*\nhint: did you mean "events"\?/,
  },
  {
    name: "--annotate with an unknown field",
    yaml: "",
    annotate: ["events.cuont:metrics.type=counter"],
    code: 2,
    stderr: /^error: Unknown field in --annotate "events\.cuont:.*\nhint: did you mean "count"\?/,
  },
  {
    name: "--annotate with an unknown key",
    yaml: "",
    annotate: ["events:metrics.colect=true"],
    code: 2,
    stderr:
      /^error: Unknown annotation in --annotate .*"metrics\.colect"\nhint: did you mean "metrics\.collect"\?/,
  },
  {
    name: "--annotate without a colon",
    yaml: "",
    annotate: ["events"],
    code: 2,
    stderr: /^error: Cannot read --annotate item "events".*\nhint: /,
  },
  {
    name: "a name that would control the terminal is shown as text",
    yaml: 'datasources:\n  "\\e[2Jevents":\n    annotations: {metrics.collect: true}\n',
    code: 1,
    stderr: /^error: Unknown data source in .*\\x1b\[2Jevents.*\nhint: /,
  },
]);
