/** The file of `--web.config.file`: who may scrape, and how it is encrypted. The format is that of Prometheus' exporters. */

import { FormatError, UnsupportedError } from "../errors.ts";
import {
  describeNode,
  keyOf,
  parseYaml,
  readMapping,
  readText,
  type YamlNode,
} from "../gadget/mod.ts";
import { suggestName } from "../text/mod.ts";

/** What the file says. Files that it names are not yet read. */
export interface WebConfig {
  /** Absent: plain HTTP. */
  readonly tls?: TlsConfig;
  /** Sent with every answer, by name. */
  readonly headers: Readonly<Record<string, string>>;
  /** bcrypt hashes by user; empty: no password is asked for. */
  readonly users: ReadonlyMap<string, string>;
  /** What was understood but has no effect, one sentence each. */
  readonly warnings: readonly string[];
}

/** `tls_server_config`. */
export interface TlsConfig {
  readonly certificate: PemSource;
  readonly key: PemSource;
  /** Who connects must have a certificate that one of these signed. Absent: nobody is asked for one. */
  readonly clientCa?: PemSource;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
}

/** As Node.js writes them. */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";

/** PEM text that stands in the configuration, or the path of a file as it is written there. */
export type PemSource =
  & { readonly place: string }
  & (
    | { readonly text: string }
    | { readonly file: string }
  );

const TOP_LEVEL_KEYS = ["tls_server_config", "http_server_config", "basic_auth_users"] as const;
const HTTP_KEYS = ["http2", "headers"] as const;
const TLS_KEYS = [
  "cert_file",
  "key_file",
  "cert",
  "key",
  "client_ca_file",
  "client_ca",
  "client_auth_type",
  "min_version",
  "max_version",
] as const;
/** Keys that others know, and what to do without them. */
const REFUSED_KEYS: Readonly<Record<string, string>> = {
  client_allowed_sans: "let client_ca_file be a CA that signs for those clients only",
  cipher_suites: "leave it out: kmeter has no weak ones, and min_version: TLS13 has the fewest",
  curve_preferences: "leave it out: X25519, P-256 and P-384 are offered",
  prefer_server_cipher_suites: "leave it out: there are no weak suites to choose",
  rate_limit: "leave it out: kmeter limits what is under way at a time by itself",
};

type Section<K extends string> = ReadonlyMap<K, YamlNode>;

/**
 * Parses the text of a file.
 *
 * Throws: FormatError (file, line, key path), UnsupportedError for what the format has and kmeter lacks.
 */
export function parseWebConfig(text: string, file: string): WebConfig {
  const sections = readKeys(parseYaml(text, file), TOP_LEVEL_KEYS);
  const tls = sections.get("tls_server_config");
  const http = sections.get("http_server_config");
  const httpKeys: Section<typeof HTTP_KEYS[number]> = http === undefined
    ? new Map()
    : readKeys(http, HTTP_KEYS);
  const warnings: string[] = [];
  warnOfHttp2(httpKeys.get("http2"), warnings);
  return {
    ...(tls !== undefined && { tls: readTls(tls) }),
    headers: readHeaders(httpKeys.get("headers")),
    users: readUsers(sections.get("basic_auth_users")),
    warnings,
  };
}

/** Children under their keys, of which all must be known. Other than in `gadget.yaml`, case counts. */
function readKeys<K extends string>(node: YamlNode, keys: readonly K[]): Section<K> {
  const section = new Map<K, YamlNode>();
  for (const child of children(node)) {
    const name = keyOf(child);
    const key = keys.find((candidate) => candidate === name);
    if (key !== undefined) {
      section.set(key, child);
      continue;
    }
    if (Object.hasOwn(REFUSED_KEYS, name)) {
      throw new UnsupportedError(
        `Unsupported key in ${describeNode(child)}: kmeter cannot do "${name}"`,
        { feature: name, hint: REFUSED_KEYS[name] },
      );
    }
    throw new FormatError(`Unknown key in ${describeNode(child)}: "${name}"`, {
      hint: suggestName(name, keys, "keys here"),
    });
  }
  return section;
}

function children(node: YamlNode): YamlNode[] {
  const { value } = node;
  // The reader's own words are about gadget.yaml.
  if (node.path.length === 0 && (Array.isArray(value) || (typeof value === "string" && value))) {
    throw wrongValue(node, {
      expected: "a mapping",
      hint: "the file begins with tls_server_config:, http_server_config: or basic_auth_users:",
    });
  }
  return readMapping(node);
}

function readTls(node: YamlNode): TlsConfig {
  const keys = readKeys(node, TLS_KEYS);
  const certificate = pemOf(keys, { inline: "cert", file: "cert_file" });
  const key = pemOf(keys, { inline: "key", file: "key_file" });
  if (certificate === undefined || key === undefined) {
    const missing = certificate === undefined ? "cert_file" : "key_file";
    throw new FormatError(`Missing key in ${describeNode(node)}: there is no "${missing}"`, {
      hint: "TLS needs a certificate and its key: cert_file: server.crt, key_file: server.key",
    });
  }
  const minVersion = versionOf(keys.get("min_version")) ?? "TLSv1.2";
  const maxVersion = versionOf(keys.get("max_version")) ?? "TLSv1.3";
  if (minVersion > maxVersion) {
    throw wrongValue(keys.get("max_version") ?? node, {
      expected: "a version from min_version on",
      hint: "leave max_version out",
    });
  }
  const clientCa = readClientCa(node, keys);
  return { certificate, key, minVersion, maxVersion, ...(clientCa && { clientCa }) };
}

function pemOf(
  keys: Section<typeof TLS_KEYS[number]>,
  names: {
    readonly inline: "cert" | "key" | "client_ca";
    readonly file: "cert_file" | "key_file" | "client_ca_file";
  },
): PemSource | undefined {
  const inline = keys.get(names.inline);
  const file = keys.get(names.file);
  const text = inline === undefined ? "" : readText(inline);
  const path = file === undefined ? "" : readText(file);
  if (inline !== undefined && text !== "") {
    if (path === "") return { place: describeNode(inline), text };
    throw new FormatError(
      `Too much in ${
        describeNode(inline)
      }: "${names.inline}" and "${names.file}" exclude each other`,
      { hint: "keep one of them" },
    );
  }
  return file === undefined || path === "" ? undefined : { place: describeNode(file), file: path };
}

const AUTH_TYPES = [
  "NoClientCert",
  "RequestClientCert",
  "RequireAnyClientCert",
  "VerifyClientCertIfGiven",
  "RequireAndVerifyClientCert",
] as const;

function readClientCa(
  tls: YamlNode,
  keys: Section<typeof TLS_KEYS[number]>,
): PemSource | undefined {
  const node = keys.get("client_auth_type");
  const type = node === undefined ? "" : readText(node);
  const ca = pemOf(keys, { inline: "client_ca", file: "client_ca_file" });
  if (node !== undefined && type === "RequireAndVerifyClientCert") {
    if (ca !== undefined) return ca;
    throw new FormatError(
      `Missing key in ${describeNode(tls)}: ${type} needs "client_ca_file"`,
      { hint: "name the CA that signs the clients' certificates: client_ca_file: ca.crt" },
    );
  }
  if (node === undefined || type === "" || type === "NoClientCert") {
    if (ca === undefined) return undefined;
    throw new FormatError(
      `Wrong value in ${ca.place}: a client CA, but no certificate is asked for`,
      { hint: "add client_auth_type: RequireAndVerifyClientCert, or take the CA away" },
    );
  }
  if (AUTH_TYPES.some((known) => known === type)) {
    throw new UnsupportedError(
      `Unsupported value in ${describeNode(node)}: kmeter cannot do "${type}"`,
      {
        feature: type,
        hint:
          "RequireAndVerifyClientCert demands a certificate of client_ca_file, NoClientCert asks for none",
      },
    );
  }
  throw wrongValue(node, {
    expected: "a type of client authentication",
    hint: suggestName(type, AUTH_TYPES, "types"),
  });
}

const VERSIONS: Readonly<Record<string, TlsVersion | "refused">> = {
  TLS13: "TLSv1.3",
  TLS12: "TLSv1.2",
  TLS11: "refused",
  TLS10: "refused",
};

function versionOf(node: YamlNode | undefined): TlsVersion | undefined {
  const text = node === undefined ? "" : readText(node);
  if (node === undefined || text === "") return undefined;
  const version = Object.hasOwn(VERSIONS, text) ? VERSIONS[text] : undefined;
  if (version === "refused") {
    throw new UnsupportedError(
      `Unsupported value in ${describeNode(node)}: kmeter cannot speak "${text}"`,
      { feature: text, hint: "TLS12 is the lowest version there is" },
    );
  }
  if (version !== undefined) return version;
  throw wrongValue(node, {
    expected: "a TLS version",
    hint: suggestName(text, Object.keys(VERSIONS), "versions"),
  });
}

function warnOfHttp2(node: YamlNode | undefined, warnings: string[]): void {
  const text = node === undefined ? "" : readText(node);
  if (node === undefined || text === "" || text === "false") return;
  if (text !== "true") throw wrongValue(node, { expected: "true or false", hint: "write false" });
  warnings.push(`${describeNode(node)}: kmeter speaks HTTP/1.1 only, on which clients agree`);
}

/** Headers by their names, with the values they may have; undefined: any. */
const HEADERS: Readonly<Record<string, readonly string[] | undefined>> = {
  "Content-Security-Policy": undefined,
  "Strict-Transport-Security": undefined,
  "X-Content-Type-Options": ["nosniff"],
  "X-Frame-Options": ["deny", "sameorigin"],
  "X-XSS-Protection": undefined,
};

function readHeaders(node: YamlNode | undefined): Record<string, string> {
  if (node === undefined) return {};
  const names = Object.keys(HEADERS);
  const headers: Record<string, string> = {};
  for (const [name, child] of readKeys(node, names)) {
    const value = readText(child);
    if (value === "") continue;
    const allowed = HEADERS[name];
    if (allowed !== undefined && !allowed.includes(value.toLowerCase())) {
      throw wrongValue(child, {
        expected: allowed.join(" or "),
        hint: suggestName(value, allowed, "values"),
      });
    }
    if (!/^[\x20-\x7e]+$/.test(value)) {
      throw wrongValue(child, {
        expected: "printable ASCII on one line",
        hint: "a header is one line",
      });
    }
    headers[name] = value;
  }
  return headers;
}

/** A hash of this cost takes JavaScript more than a second; each step doubles it. */
const MAX_COST = 14;
const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

function readUsers(node: YamlNode | undefined): Map<string, string> {
  const users = new Map<string, string>();
  for (const child of node === undefined ? [] : readMapping(node)) {
    const user = keyOf(child);
    const hash = readText(child);
    const cost = Number(BCRYPT.exec(hash)?.[1]);
    // Not `wrongValue`: what stands there may be a password.
    if (Number.isNaN(cost)) {
      throw new FormatError(`Wrong value in ${describeNode(child)}: it is no bcrypt hash`, {
        hint: 'make one: htpasswd -nBC 10 "" | tr -d ":\\n"',
      });
    }
    if (cost < 4 || cost > MAX_COST) {
      throw new UnsupportedError(
        `Unsupported value in ${
          describeNode(child)
        }: the hash has cost ${cost}, wanted 4 to ${MAX_COST}`,
        { feature: `bcrypt cost ${cost}`, hint: "make one of cost 10: htpasswd -nBC 10" },
      );
    }
    if (user === "" || user.includes(":")) {
      throw new FormatError(
        `Wrong key in ${describeNode(child)}: a user's name is not empty and has no colon`,
        { hint: "HTTP cannot carry such a name" },
      );
    }
    users.set(user, hash);
  }
  return users;
}

function wrongValue(node: YamlNode, { expected, hint }: { expected: string; hint: string }) {
  const value = typeof node.value === "string" ? JSON.stringify(node.value) : "a list or mapping";
  return new FormatError(
    `Wrong value in ${describeNode(node)}: expected ${expected}, got ${value}`,
    { hint },
  );
}
