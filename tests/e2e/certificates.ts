/** Certificates of the test's own, made by openssl. */

import { runTool } from "./kmeter_process.ts";
import type { Sandbox } from "./sandbox.ts";

/** Files of a certificate and its key. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** A CA in a sandbox. Its files are `NAME.crt` and `NAME.key`. */
export class CertificateAuthority implements CertificateFiles {
  readonly cert: string;
  readonly key: string;
  readonly #sandbox: Sandbox;

  static async create(sandbox: Sandbox, name: string): Promise<CertificateAuthority> {
    const ca = new CertificateAuthority(sandbox, name);
    await runTool([
      ...["openssl", "req", "-x509", ...NEW_KEY, "-days", "2", "-subj", `/CN=${name}`],
      ...["-keyout", ca.key, "-out", ca.cert],
    ]);
    return ca;
  }

  private constructor(sandbox: Sandbox, name: string) {
    this.#sandbox = sandbox;
    this.cert = sandbox.path(`${name}.crt`);
    this.key = sandbox.path(`${name}.key`);
  }

  /** Signs a certificate for 127.0.0.1, as `NAME.crt` and `NAME.key`. `days` below 0: it has ended. */
  async sign(name: string, { days = 2 }: { days?: number } = {}): Promise<CertificateFiles> {
    const [cert, key, request] = ["crt", "key", "csr"].map((end) =>
      this.#sandbox.path(`${name}.${end}`)
    );
    const names = this.#sandbox.write(`${name}.ext`, "subjectAltName=IP:127.0.0.1\n");
    await runTool([
      ...["openssl", "req", ...NEW_KEY, "-subj", `/CN=${name}`, "-keyout", key, "-out", request],
    ]);
    await runTool([
      ...["openssl", "x509", "-req", "-in", request, "-CA", this.cert, "-CAkey", this.key],
      ...["-CAcreateserial", "-days", String(days), "-extfile", names, "-out", cert],
    ]);
    return { cert, key };
  }
}
