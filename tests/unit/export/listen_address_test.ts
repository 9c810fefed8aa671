// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../src/errors.ts";
import { addressText, parseListenAddress } from "../../../src/export/mod.ts";

Deno.test("listen addresses are a host and a port", () => {
  const rows: [text: string, hostname: string, port: number][] = [
    ["127.0.0.1:2224", "127.0.0.1", 2224],
    ["localhost:0", "localhost", 0],
    ["0.0.0.0:65535", "0.0.0.0", 65535],
    [":2224", "0.0.0.0", 2224],
    ["[::1]:9100", "::1", 9100],
    ["[::]:80", "::", 80],
  ];
  for (const [text, hostname, port] of rows) {
    assertEquals(parseListenAddress(text), { hostname, port });
  }
  assertEquals(addressText({ hostname: "::1", port: 80 }), "[::1]:80");
  assertEquals(addressText({ hostname: "localhost", port: 80 }), "localhost:80");
});

Deno.test("what is not a listen address is refused with examples", () => {
  const wrong = ["", "2224", "127.0.0.1", "127.0.0.1:", "a:65536", "::1:2224", "[::1]", "a:-1"]
    .concat(["http://a:80", "a b:80", "[zz]:80", "a:80 "]);
  for (const text of wrong) {
    const error = assertThrows(() => parseListenAddress(text), UsageError, `"${text}"`);
    assertEquals(error.hint?.includes("--listen 127.0.0.1:2224"), true);
  }
});
