/** The file of `--web.config.file` and those that it names, as they are now. */

import { systemError } from "../../ffi/mod.ts";
import { FormatError, UsageError } from "../errors.ts";
import { codeOf, folderOf, pathIn, stampOf } from "./file_paths.ts";
import { parseWebConfig, type PemSource, type TlsConfig, type TlsVersion } from "./web_config.ts";

/** What is in force. A change makes a new object. */
export interface WebSettings {
  readonly tls?: TlsMaterial;
  readonly headers: Readonly<Record<string, string>>;
  /** bcrypt hashes by user. */
  readonly users: ReadonlyMap<string, string>;
}

/** What a TLS server needs. All text is PEM and has been looked at. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  readonly clientCa?: string;
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
}

/** Who asks more often than this gets what is known. */
const LOOK_INTERVAL_MS = 1000;

/** Follows the files. It looks when it is asked: an idle program does nothing. */
export class WebConfigFile {
  readonly #path: string;
  readonly #warn: (text: string) => void;
  #settings: WebSettings;
  /** Files that the settings came from, or the attempt to read them, by path. */
  #stamps: ReadonlyMap<string, string>;
  #lookedMs = performance.now();

  /**
   * Reads the files.
   *
   * Throws: UsageError if there is no such file, else as `parseWebConfig`; KernelError and FormatError
   * for the files that it names.
   *
   * @param warn told of what has no effect, and of changes that cannot be used.
   */
  constructor(path: string, { warn }: { readonly warn: (text: string) => void }) {
    this.#path = path;
    this.#warn = warn;
    const stamps = new Map<string, string>();
    this.#settings = this.#read(stamps);
    this.#stamps = stamps;
  }

  /** Settings as they were when somebody looked for the last time. */
  get settings(): WebSettings {
    return this.#settings;
  }

  /** Looks whether a file has changed, at most once a second. Cost: a stat of each file, on this thread. */
  refresh(): void {
    const nowMs = performance.now();
    if (nowMs - this.#lookedMs < LOOK_INTERVAL_MS) return;
    this.#lookedMs = nowMs;
    for (const [path, stamp] of this.#stamps) {
      if (stampOf(path) !== stamp) return this.reload();
    }
  }

  /** Reads the files again. If they cannot be used, all stays as it is, and that is told. */
  reload(): void {
    const stamps = new Map<string, string>();
    try {
      const settings = this.#read(stamps);
      if ((settings.tls === undefined) !== (this.#settings.tls === undefined)) {
        const change = settings.tls === undefined ? "ends" : "begins";
        throw new UsageError(`${this.#path} ${change} TLS, which needs a restart`);
      }
      this.#settings = settings;
      this.#stamps = stamps;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#warn(`The web configuration stays as it was: ${reason}`);
      // Files that the attempt did not come to are looked at all the same.
      const before = [...this.#stamps.keys()].map((
        path,
      ): [string, string] => [path, stampOf(path)]);
      this.#stamps = new Map([...before, ...stamps]);
    }
  }

  #read(stamps: Map<string, string>): WebSettings {
    stamps.set(this.#path, stampOf(this.#path));
    const text = readConfig(this.#path);
    const { tls, headers, users, warnings } = parseWebConfig(text, this.#path);
    const material = tls && this.#readTls(tls, stamps);
    for (const warning of warnings) this.#warn(warning);
    return { headers, users, ...(material && { tls: material }) };
  }

  #readTls(tls: TlsConfig, stamps: Map<string, string>): TlsMaterial {
    const folder = folderOf(this.#path);
    const read = (source: PemSource) => {
      if ("text" in source) return source.text;
      const path = pathIn(folder, source.file);
      stamps.set(path, stampOf(path));
      return readPem(path, source.place);
    };
    const { minVersion, maxVersion } = tls;
    const cert = read(tls.certificate);
    const key = read(tls.key);
    checkPair({ cert, key, tls });
    const clientCa = tls.clientCa && read(tls.clientCa);
    if (tls.clientCa !== undefined && clientCa !== undefined) {
      readCertificates(clientCa, tls.clientCa.place);
    }
    return { cert, key, minVersion, maxVersion, ...(clientCa !== undefined && { clientCa }) };
  }
}

function readConfig(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    throw new UsageError(`Cannot read "${path}": ${codeOf(error)} from open`, {
      cause: error,
      hint: "give the path of a web configuration: --web.config.file web.yml",
    });
  }
}

function readPem(path: string, place: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    throw systemError(error, {
      what: `Cannot read "${path}", which ${place} names`,
      call: "open",
      hint:
        "paths are relative to the folder of the web configuration; check who may read it: ls -l",
    });
  }
}

/** Node's crypto: loaded only where there is TLS. */
function nodeCrypto() {
  return process.getBuiltinModule("node:crypto");
}

/** The server would take anything and then fail at each connection. */
function checkPair({ cert, key, tls }: { cert: string; key: string; tls: TlsConfig }): void {
  const [own] = readCertificates(cert, tls.certificate.place);
  let isPair: boolean;
  try {
    isPair = own.checkPrivateKey(nodeCrypto().createPrivateKey(key));
  } catch (cause) {
    throw new FormatError(`Wrong value in ${tls.key.place}: it is no private key in PEM`, {
      cause,
      hint: "it begins with -----BEGIN PRIVATE KEY----- and is not encrypted by a password",
    });
  }
  if (isPair) return;
  throw new FormatError(
    `Wrong value in ${tls.key.place}: it is not the key of the certificate in ${tls.certificate.place}`,
    { hint: "the server's certificate stands first in its file, its CA's behind it" },
  );
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function readCertificates(pem: string, place: string) {
  const { X509Certificate } = nodeCrypto();
  try {
    const certificates = (pem.match(CERTIFICATE) ?? []).map((text) => new X509Certificate(text));
    if (certificates.length > 0) return certificates;
  } catch (cause) {
    throw certificateError(place, cause);
  }
  throw certificateError(place);
}

function certificateError(place: string, cause?: unknown): FormatError {
  return new FormatError(`Wrong value in ${place}: it is no certificate in PEM`, {
    cause,
    hint: "it begins with -----BEGIN CERTIFICATE-----: openssl x509 -in FILE -text shows it",
  });
}
