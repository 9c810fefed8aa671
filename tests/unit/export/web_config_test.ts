// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import { FormatError, UnsupportedError } from "../../../src/errors.ts";
import { parseWebConfig } from "../../../src/export/web_config.ts";

/** bcrypt of "secret" at cost 10, and what a cost of 15 looks like. */
const HASH = "$2y$10$l8T.iiub8aWGVm0L4507neTSgv5n8uPVt3vUuN288CmNtmQsxMSJK";
const COSTLY = HASH.replace("$10$", "$15$");
const TLS = "tls_server_config:\n  cert_file: a.crt\n  key_file: a.key\n";
const HEADERS = "http_server_config:\n  headers:\n";

Deno.test("all that the format has and kmeter can do is read", () => {
  const config = parseWebConfig(
    `tls_server_config:
  cert_file: a.crt
  key: |
    -----BEGIN PRIVATE KEY-----
  client_auth_type: "RequireAndVerifyClientCert"
  client_ca_file: /ca.crt
  min_version: TLS13
  max_version: TLS13
http_server_config:
  http2: true
  headers:
    Content-Security-Policy: "default-src 'none'"
    X-Frame-Options: SameOrigin
    X-XSS-Protection:
basic_auth_users:
  a: ${HASH}
  A: "${HASH}"
`,
    "web.yml",
  );
  assertEquals(config.tls, {
    certificate: { place: "web.yml:2 (tls_server_config.cert_file)", file: "a.crt" },
    key: { place: "web.yml:3 (tls_server_config.key)", text: "-----BEGIN PRIVATE KEY-----\n" },
    clientCa: { place: "web.yml:6 (tls_server_config.client_ca_file)", file: "/ca.crt" },
    minVersion: "TLSv1.3",
    maxVersion: "TLSv1.3",
  });
  assertEquals(config.headers, {
    "Content-Security-Policy": "default-src 'none'",
    "X-Frame-Options": "SameOrigin",
  });
  assertEquals([...config.users], [["a", HASH], ["A", HASH]]);
  assertEquals(config.warnings, [
    "web.yml:10 (http_server_config.http2): kmeter speaks HTTP/1.1 only, on which clients agree",
  ]);
});

Deno.test("an empty file is plain HTTP for everybody, and TLS is 1.2 and newer", () => {
  const empty = parseWebConfig("# nothing\n", "web.yml");
  assertEquals([empty.tls, empty.headers, empty.users.size], [undefined, {}, 0]);
  const { tls } = parseWebConfig(`${TLS}  client_auth_type: NoClientCert\n`, "web.yml");
  assertEquals([tls?.minVersion, tls?.maxVersion, tls?.clientCa], [
    "TLSv1.2",
    "TLSv1.3",
    undefined,
  ]);
});

const MISTAKES = [
  {
    text: "tls_config:\n",
    error: 'web.yml:1 (tls_config): "tls_config"',
    hint: '"tls_server_config"',
  },
  {
    text: "TLS_server_config:\n",
    error: "Unknown key in web.yml:1",
    hint: 'did you mean "tls_server_config"?',
  },
  { text: "- a\n", error: "Wrong value in web.yml: expected a mapping", hint: "begins with" },
  { text: "just text\n", error: 'got "just text"', hint: "begins with" },
  { text: "tls_server_config: on\n", error: "expected a mapping", hint: "tls_server_config" },
  {
    text: "tls_server_config:\n  key_file: a\n",
    error: 'web.yml:1 (tls_server_config): there is no "cert_file"',
    hint: "cert_file: server.crt",
  },
  {
    text: "tls_server_config:\n  cert: a\n",
    error: 'there is no "key_file"',
    hint: "key_file: server.key",
  },
  {
    text: `${TLS}  cert: b\n`,
    error: 'web.yml:4 (tls_server_config.cert): "cert" and "cert_file" exclude each other',
    hint: "one of them",
  },
  {
    text: `${TLS}  client_ca_file: ca\n`,
    error: "web.yml:4 (tls_server_config.client_ca_file): a client CA, but no certificate",
    hint: "RequireAndVerifyClientCert",
  },
  {
    text: `${TLS}  client_auth_type: RequireAndVerifyClientCert\n`,
    error: 'RequireAndVerifyClientCert needs "client_ca_file"',
    hint: "client_ca_file: ca.crt",
  },
  {
    text: `${TLS}  client_auth_type: RequireAndVerify\n`,
    error: 'got "RequireAndVerify"',
    hint: '"RequireAndVerifyClientCert"',
  },
  {
    text: `${TLS}  min_version: "1.3"\n`,
    error: 'web.yml:4 (tls_server_config.min_version): expected a TLS version, got "1.3"',
    hint: '"TLS13"',
  },
  { text: `${TLS}  min_version: constructor\n`, error: 'got "constructor"', hint: '"TLS13"' },
  {
    text: `${TLS}  min_version: TLS13\n  max_version: TLS12\n`,
    error: "web.yml:5 (tls_server_config.max_version)",
    hint: "leave max_version out",
  },
  {
    text: "http_server_config:\n  http2: maybe\n",
    error: "expected true or false",
    hint: "false",
  },
  {
    text: `${HEADERS}    X-Frame-Option: deny\n`,
    error: "web.yml:3 (http_server_config.headers.X-Frame-Option)",
    hint: 'did you mean "X-Frame-Options"?',
  },
  {
    text: `${HEADERS}    X-Frame-Options: allow\n`,
    error: "expected deny or sameorigin",
    hint: '"deny"',
  },
  {
    text: `${HEADERS}    Content-Security-Policy: "a\\r\\nset-cookie: b"\n`,
    error: "printable ASCII",
    hint: "one line",
  },
  {
    text: "basic_auth_users:\n  a: secret\n",
    error: "web.yml:2 (basic_auth_users.a): it is no bcrypt hash",
    hint: "htpasswd -nBC 10",
  },
  { text: `basic_auth_users:\n  "a:b": ${HASH}\n`, error: "has no colon", hint: "HTTP" },
  { text: `basic_auth_users:\n  "": ${HASH}\n`, error: "is not empty", hint: "HTTP" },
] as const;

const REFUSED = [
  {
    text: `${TLS}  client_auth_type: VerifyClientCertIfGiven\n`,
    error: '"VerifyClientCertIfGiven"',
    hint: "NoClientCert asks for none",
  },
  { text: `${TLS}  min_version: TLS11\n`, error: 'cannot speak "TLS11"', hint: "TLS12" },
  { text: `${TLS}  cipher_suites: [a]\n`, error: '"cipher_suites"', hint: "TLS13" },
  { text: `${TLS}  client_allowed_sans: [a]\n`, error: '"client_allowed_sans"', hint: "CA" },
  { text: "rate_limit: {burst: 1}\n", error: '"rate_limit"', hint: "leave it out" },
  {
    text: `basic_auth_users:\n  a: ${COSTLY}\n`,
    error: "web.yml:2 (basic_auth_users.a): the hash has cost 15, wanted 4 to 14",
    hint: "cost 10",
  },
] as const;

function assertRefused(
  { text, error, hint }: { text: string; error: string; hint: string },
  type: typeof FormatError | typeof UnsupportedError,
): void {
  const thrown = assertThrows(() => parseWebConfig(text, "web.yml"), Error, error);
  assert(thrown instanceof type, thrown.name);
  assert(thrown.hint?.includes(hint), thrown.hint);
  assert(!thrown.message.includes("secret"), "it tells the password");
}

for (const mistake of MISTAKES) {
  Deno.test(`a mistake: ${JSON.stringify(mistake.text.replace(TLS, "TLS "))}`, () => {
    assertRefused(mistake, FormatError);
  });
}

for (const refused of REFUSED) {
  Deno.test(`refused: ${JSON.stringify(refused.text.replace(TLS, "TLS "))}`, () => {
    assertRefused(refused, UnsupportedError);
  });
}
