// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import {
  exponentialBound,
  exponentialIndex,
  parseExponential,
} from "../../../src/gadget/exponential_boundaries.ts";

Deno.test("the form is read with any blanks, and nothing else is taken for it", () => {
  const setting = { schema: 3, from: 0.5, to: 1e6, isSigned: false };
  assertEquals(parseExponential(" schema  3 from 0.5\tto 1e6 "), setting);
  assertEquals(parseExponential("schema 3 from 0.5 to 1e6 signed"), { ...setting, isSigned: true });
  for (const text of ["", "1, 2", "schema 9 from 1 to 2", "schema 3", "schema 3 from 1 to 2 3"]) {
    assertEquals(parseExponential(text), undefined, text);
  }
});

Deno.test("a value lies in the bucket of its index: above the bound before, up to its own", () => {
  for (let schema = 0; schema <= 8; schema++) {
    for (const value of [2 ** -30, 0.3, 1, 1.0000001, 3, 1e6, 2 ** 40, 2 ** 53 - 1]) {
      const index = exponentialIndex(value, schema);
      const [below, bound] = [exponentialBound(index - 1, schema), exponentialBound(index, schema)];
      assertEquals(below < value && value <= bound, true, `${value} in ${index} of ${schema}`);
    }
    for (let exponent = -40; exponent <= 62; exponent++) {
      const index = exponent * 2 ** schema;
      assertEquals(exponentialIndex(2 ** exponent, schema), index, "powers of two are exact");
      assertEquals(exponentialBound(index, schema), 2 ** exponent);
    }
  }
});
