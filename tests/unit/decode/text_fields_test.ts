// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { splitTextField, textFieldName, type TextFormat } from "../../../src/decode/mod.ts";
import { makeField } from "./fields.ts";

Deno.test("text fields are named after their raw field", () => {
  const cases: [name: string, parent: string, format: TextFormat["type"], want?: string][] = [
    ["error_raw", "", "errno", "error"],
    ["proc.error_raw", "proc", "errno", "proc.error"],
    ["error", "", "errno", undefined],
    ["_raw", "", "errno", undefined],
    ["proc._raw", "proc", "errno", undefined],
    ["uid", "", "uid", "user"],
    ["creds.uid", "creds", "uid", "creds.user"],
    ["creds.gid", "creds", "gid", "creds.group"],
    ["owner_raw", "", "uid", "owner"],
  ];
  for (const [name, parent, type, want] of cases) {
    const format = type === "enum"
      ? { type, enumerators: [], isSet: false, separator: "|" }
      : { type };
    assertEquals(textFieldName({ name, parent }, format), want, name);
  }
});

const uid = makeField({
  name: "creds.uid",
  parent: "creds",
  kind: "uint32",
  sizeBytes: 4,
  offsetBytes: 8,
  tags: ["type:gadget_uid", "name:uid", "role:key"],
  annotations: { "columns.alias": "uid", "columns.alignment": "right" },
  format: { type: "uid" },
});

Deno.test("number and text are two fields over the same bytes, types stay with the number", () => {
  const [raw, text] = splitTextField(uid, "creds.user");
  assertEquals([raw.format, text.format?.type], [undefined, "uid"]);
  assertEquals([raw.hidden, text.hidden], [false, true]);
  assertEquals([raw.offsetBytes, text.offsetBytes], [8, 8]);
  assertEquals(raw.tags, uid.tags);
  assertEquals(text.tags, ["name:uid", "role:key"]);
  assertEquals(text.annotations, {
    "columns.alias": "user",
    "columns.alignment": "left",
    "columns.hidden": "true",
    description: "User name",
  });
});

Deno.test("the number of a raw pair is hidden instead", () => {
  const field = { ...uid, name: "creds.owner_raw", annotations: {} };
  const [raw, text] = splitTextField(field, "creds.owner");
  assertEquals([raw.hidden, text.hidden], [true, false]);
  assertEquals(raw.annotations, { "columns.hidden": "true" });
});
