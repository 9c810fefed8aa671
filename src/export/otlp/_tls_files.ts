/** Certificates and keys of an exporter. */

import { UsageError } from "../../errors.ts";
import type { ExporterSetting } from "./exporter_setting.ts";

/** PEM text; absent for the system's CAs, and for no client certificate. */
export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Which files, and what for. */
export interface TlsFileSettings {
  readonly ca: ExporterSetting | undefined;
  readonly cert: ExporterSetting | undefined;
  readonly key: ExporterSetting | undefined;
  readonly url: string;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----/;
const PRIVATE_KEY = /-----BEGIN (?:RSA |EC )?PRIVATE KEY-----/;

/** Reads the files, now: later kmeter may be another user. Throws: UsageError; NotCapable for files of the kernel. */
export function readTlsFiles({ ca, cert, key, url }: TlsFileSettings): TlsFiles {
  const given = ca ?? cert ?? key;
  if (given !== undefined && !url.startsWith("https:")) {
    throw new UsageError(`${given.source} is about TLS, and ${url} is without`, {
      hint: "write https:// in the endpoint",
    });
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError(
      `${(cert ?? key)?.source}: a client has a certificate and a key, or neither`,
      { hint: "give certFile and keyFile" },
    );
  }
  return {
    ...(ca && { ca: readPem(ca, CERTIFICATE, "certificate") }),
    ...(cert && { cert: readPem(cert, CERTIFICATE, "certificate") }),
    ...(key && { key: readPem(key, PRIVATE_KEY, "private key without a password") }),
  };
}

function readPem({ value, source }: ExporterSetting, pattern: RegExp, what: string): string {
  let text: string;
  try {
    text = Deno.readTextFileSync(value);
  } catch (cause) {
    // It has no code, and an explanation of its own.
    if (cause instanceof Deno.errors.NotCapable) throw cause;
    const code = (cause as { code?: string }).code ?? "EIO";
    throw new UsageError(`Cannot read "${value}", which ${source} names: ${code} from open`, {
      hint: "name a file in PEM",
      cause,
    });
  }
  if (pattern.test(text)) return text;
  throw new UsageError(`${source} "${value}": no ${what} in PEM`);
}
