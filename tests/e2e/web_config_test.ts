/** `--web.config.file`: encryption, client certificates and passwords, as clients meet them. */

// @ts-types="../unit/_std_assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { hashSync } from "bcryptjs";
import { assertOneError, runCase, testWith } from "./cases.ts";
import { CertificateAuthority, type CertificateFiles } from "./certificates.ts";
import { ChildProcess, sleep } from "./kmeter_process.ts";
import { PrometheusServer } from "./prometheus_server.ts";
import type { Requirement } from "./requirements.ts";
import { Sandbox } from "./sandbox.ts";
import { ANY_PORT, servedAt } from "./scrape.ts";

const NEEDS: readonly Requirement[] = ["root", "/usr/bin/openssl", "/usr/bin/curl"];
/** Long enough for a change of a file to be seen. */
const LOOK_MS = 1200;
const TLS = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";
const MUTUAL =
  `${TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: clients.crt\n`;

function usersOf(passwords: Readonly<Record<string, string>>): string {
  const lines = Object.entries(passwords).map(([user, password]) =>
    `  ${user}: ${hashSync(password, 5)}\n`
  );
  return `basic_auth_users:\n${lines.join("")}`;
}

interface Answer {
  /** 0 if there was none. */
  readonly status: number;
  readonly headers: string;
  readonly body: string;
  /** What curl says of a failure. */
  readonly failure: string;
}

/** What curl gets from `/metrics`, or from the URL that is among the arguments. */
async function curl(address: string, ...args: readonly string[]): Promise<Answer> {
  const url = args.some((arg) => arg.includes("://")) ? [] : [`${address}/metrics`];
  await using child = new ChildProcess([
    ...["/usr/bin/curl", "-sS", "--max-time", "10", "-D", "/dev/stderr", ...args, ...url],
  ]);
  const { stdout, stderr } = await child.finish({ timeoutMs: 15_000 });
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(stderr)?.[1] ?? 0),
    headers: stderr,
    body: stdout,
    failure: /^curl: .*/m.exec(stderr)?.[0] ?? "",
  };
}

const as = ({ cert, key }: CertificateFiles) => ["--cert", cert, "--key", key];

/** Runs kmeter with a configuration until `during` has ended. */
async function serveWith(
  sandbox: Sandbox,
  config: string,
  during: (address: string, kmeter: ChildProcess) => Promise<void>,
): Promise<void> {
  const file = sandbox.write("web.yml", config);
  await runCase({
    name: "web config",
    run: ["run", "trace_exec", ANY_PORT, "-o", "none", "--web.config.file", file],
    during: async (kmeter) => {
      await during(await servedAt(kmeter), kmeter);
      if (!kmeter.hasEnded) kmeter.kill("SIGTERM");
    },
    expect: { code: 0, stdout: "" },
    timeoutMs: 60_000,
  });
}

testWith("TLS, passwords and headers: who has no password gets nothing", NEEDS, async () => {
  using sandbox = new Sandbox();
  const ca = await CertificateAuthority.create(sandbox, "ca");
  await ca.sign("server");
  const headers = "http_server_config:\n  headers:\n    X-Frame-Options: deny\n" +
    "    Strict-Transport-Security: max-age=60\n";
  const config = TLS + headers + usersOf({ prometheus: "secret", "with space": "pass:wörd" });
  await serveWith(sandbox, config, async (address, kmeter) => {
    assertMatch(address, /^https:\/\/127\.0\.0\.1:\d+$/);
    const trust = ["--cacert", ca.cert];
    const cases = [
      { args: [], status: 401 },
      { args: ["-u", "prometheus:wrong"], status: 401 },
      { args: ["-u", "prometheus:"], status: 401 },
      { args: ["-u", "Prometheus:secret"], status: 401 },
      { args: ["-u", "nobody:secret"], status: 401 },
      { args: ["-u", "__proto__:secret"], status: 401 },
      { args: ["-H", "Authorization: Basic !"], status: 401 },
      { args: ["-H", "Authorization: Bearer secret"], status: 401 },
      { args: [`${address}/healthz`], status: 401 },
      { args: [`${address}/`], status: 401 },
      { args: ["-u", "prometheus:secret"], status: 200 },
      { args: ["-u", "with space:pass:wörd"], status: 200 },
      { args: ["-u", "prometheus:secret", `${address}/healthz`], status: 200 },
      { args: ["-u", "prometheus:secret", `${address}/no`], status: 404 },
      { args: ["-u", "prometheus:secret", "-X", "POST", "-d", "x"], status: 405 },
      { args: ["-u", "prometheus:secret", "--http1.0", "--no-alpn"], status: 200 },
      { args: ["-u", "prometheus:secret", "-I"], status: 200 },
      { args: ["-u", "prometheus:secret", "--tlsv1.2", "--tls-max", "1.2"], status: 200 },
    ];
    for (const { args, status } of cases) {
      const answer = await curl(address, ...trust, ...args);
      assertEquals(answer.status, status, `${args}: ${answer.headers}`);
      assertMatch(answer.headers, /^x-frame-options: deny\r$/im);
      assertMatch(answer.headers, /^strict-transport-security: max-age=60\r$/im);
      const asksForPassword = /^www-authenticate: Basic /im.test(answer.headers);
      assertEquals(asksForPassword, status === 401, answer.headers);
      if (status === 401) assertEquals(answer.body, "unauthorized\n");
    }
    const page = await curl(address, ...trust, "-u", "prometheus:secret");
    assertMatch(page.body, /^kmeter_build_info\{/m);
    // Neither a stranger's CA nor a client that does not encrypt.
    assertMatch((await curl(address)).failure, /certificate/);
    assertEquals((await curl(address.replace("https:", "http:"))).status, 0);
    assert(!/warning|error/.test(kmeter.stderr), kmeter.stderr);
  });
});

testWith("a client needs a certificate of the client CA where one is demanded", NEEDS, async () => {
  using sandbox = new Sandbox();
  const ca = await CertificateAuthority.create(sandbox, "ca");
  const clients = await CertificateAuthority.create(sandbox, "clients");
  await ca.sign("server");
  const good = await clients.sign("good");
  const cases = [
    { name: "none", args: [] },
    { name: "of the server's CA", args: as(await ca.sign("stranger")) },
    { name: "that has ended", args: as(await clients.sign("ended", { days: -1 })) },
    { name: "that nobody signed", args: as(await CertificateAuthority.create(sandbox, "self")) },
  ];
  await serveWith(sandbox, MUTUAL, async (address) => {
    const trust = ["--cacert", ca.cert];
    for (const version of [["--tls-max", "1.2"], ["--tlsv1.3"]]) {
      for (const { name, args } of cases) {
        const answer = await curl(address, ...trust, ...version, ...args);
        assertEquals([answer.status, answer.body], [0, ""], `${name} ${version}`);
      }
      assertEquals((await curl(address, ...trust, ...version, ...as(good))).status, 200);
    }
  });
});

testWith("the lowest and the highest version of TLS are kept", NEEDS, async () => {
  using sandbox = new Sandbox();
  const ca = await CertificateAuthority.create(sandbox, "ca");
  await ca.sign("server");
  const old = ["--cacert", ca.cert, "--tls-max", "1.2"];
  const recent = ["--cacert", ca.cert, "--tlsv1.3"];
  await serveWith(sandbox, `${TLS}  min_version: TLS13\n`, async (address) => {
    assertMatch((await curl(address, ...old)).failure, /protocol version/);
    assertEquals((await curl(address, ...recent)).status, 200);
  });
  await serveWith(sandbox, `${TLS}  max_version: TLS12\n`, async (address) => {
    assertEquals((await curl(address, ...old)).status, 200);
    assertMatch((await curl(address, ...recent)).failure, /protocol version/);
  });
});

testWith("files that change take effect, and broken ones do not", NEEDS, async () => {
  using sandbox = new Sandbox();
  const first = await CertificateAuthority.create(sandbox, "first");
  const second = await CertificateAuthority.create(sandbox, "second");
  await first.sign("server");
  await serveWith(sandbox, TLS + usersOf({ a: "one" }), async (address, kmeter) => {
    const statusOf = async (ca: CertificateFiles, credentials: string) =>
      (await curl(address, "--cacert", ca.cert, "-u", credentials)).status;
    assertEquals(await statusOf(first, "a:one"), 200);

    // The password.
    sandbox.write("web.yml", TLS + usersOf({ a: "two", b: "three" }));
    await sleep(LOOK_MS);
    assertEquals(await statusOf(first, "a:one"), 401);
    assertEquals(await statusOf(first, "a:two"), 200);
    assertEquals(await statusOf(first, "b:three"), 200);

    // The certificate, without a change of the configuration.
    await second.sign("server");
    await sleep(LOOK_MS);
    assertEquals(await statusOf(first, "a:two"), 0);
    assertEquals(await statusOf(second, "a:two"), 200);
    assertEquals(kmeter.stderr.match(/warning/g), null, kmeter.stderr);

    // A mistake, told once; then its end.
    const mistakes = [
      { config: "basic_auth_user:\n", told: /Unknown key in \S+web\.yml:1 \(basic_auth_user\)/ },
      { config: "a: [", told: /not YAML/ },
      { config: usersOf({ a: "two" }), told: /ends TLS, which needs a restart/ },
    ];
    for (const { config, told } of mistakes) {
      sandbox.write("web.yml", config);
      await sleep(LOOK_MS);
      assertEquals(await statusOf(second, "a:two"), 200);
      await sleep(LOOK_MS);
      assertEquals(await statusOf(second, "b:three"), 200);
      const warnings = kmeter.stderr.split("\n").filter((line) => told.test(line));
      assertEquals(warnings.length, 1, kmeter.stderr);
      assertMatch(warnings[0], /^warning: The web configuration stays as it was: /);
    }
    sandbox.write("web.yml", TLS + usersOf({ a: "four" }));
    sandbox.write("server.key", Deno.readTextFileSync(first.key));
    await sleep(LOOK_MS);
    assertEquals(await statusOf(second, "a:two"), 200);
    assertMatch(kmeter.stderr, /it is not the key of the certificate/);

    // At once.
    await second.sign("server");
    kmeter.kill("SIGHUP");
    await sleep(200);
    assertEquals(await statusOf(second, "a:two"), 401);
    assertEquals(await statusOf(second, "a:four"), 200);
  });
});

testWith("passwords without TLS", ["root", "/usr/bin/curl"], async () => {
  using sandbox = new Sandbox();
  await serveWith(sandbox, usersOf({ a: "one" }), async (address) => {
    assertMatch(address, /^http:/);
    assertEquals((await curl(address)).status, 401);
    assertEquals((await curl(address, "-u", "a:two")).status, 401);
    assertEquals((await curl(address, "-u", "a:one")).status, 200);
  });
});

testWith(
  "connections that ask nothing keep neither scrapers out nor kmeter alive",
  NEEDS,
  async () => {
    using sandbox = new Sandbox();
    const ca = await CertificateAuthority.create(sandbox, "ca");
    await ca.sign("server");
    await serveWith(sandbox, TLS, async (address, kmeter) => {
      const { hostname, port } = new URL(address);
      const connections: Deno.TcpConn[] = [];
      try {
        for (let count = 0; count < 600; count++) {
          connections.push(await Deno.connect({ hostname, port: Number(port) }));
        }
        assertEquals((await curl(address, "--cacert", ca.cert)).status, 200);
        kmeter.kill("SIGTERM");
        for (let waitedMs = 0; waitedMs < 4000 && !kmeter.hasEnded; waitedMs += 100) {
          await sleep(100);
        }
        assert(kmeter.hasEnded, "it waits for the clients");
      } finally {
        for (const connection of connections) connection.close();
      }
    });
  },
);

testWith(
  "Prometheus scrapes over TLS with a client certificate and a password",
  [...NEEDS, "/usr/bin/prometheus"],
  async () => {
    using sandbox = new Sandbox();
    const ca = await CertificateAuthority.create(sandbox, "ca");
    const clients = await CertificateAuthority.create(sandbox, "clients");
    await ca.sign("server");
    const { cert, key } = await clients.sign("prometheus");
    await serveWith(sandbox, MUTUAL + usersOf({ prometheus: "secret" }), async (address) => {
      const target = address.replace("https://", "");
      const tls = `tls_config: {ca_file: "${ca.cert}", cert_file: "${cert}", key_file: "${key}"}`;
      const user = (password: string) =>
        `basic_auth: {username: prometheus, password: ${password}}`;
      const https = "scheme: https";
      const cases = [
        { settings: [https, tls, user("secret")], up: 1 },
        { settings: [https, tls, user("wrong")], up: 0 },
        { settings: [https, `tls_config: {ca_file: "${ca.cert}"}`, user("secret")], up: 0 },
      ];
      for (const { settings, up } of cases) {
        await using prometheus = await PrometheusServer.start(target, { settings });
        await prometheus.waitForValue('up{job="kmeter"}', up);
        const series = await prometheus.query("count(kmeter_build_info)");
        assertEquals(series.map(({ value }) => value), up === 1 ? [1] : []);
      }
    });
  },
);

testWith("a mistake in the file is one error that tells where it stands", [], async () => {
  using sandbox = new Sandbox();
  const cases = [
    {
      config: "tls_server_config:\n  cert_fil: a\n",
      code: 1,
      stderr:
        /^error: Unknown key in \S+web\.yml:2 \(tls_server_config\.cert_fil\): "cert_fil"\nhint: did you mean "cert_file"\?/,
    },
    {
      config: "tls_server_config:\n  cert_file: no.crt\n  key_file: no.key\n",
      code: 1,
      stderr:
        /^error: Cannot read "\S+\/no\.crt", which \S+web\.yml:2 \(tls_server_config\.cert_file\) names: ENOENT/,
    },
    {
      config: "basic_auth_users:\n  a: secret\n",
      code: 1,
      stderr:
        /^error: Wrong value in \S+web\.yml:2 \(basic_auth_users\.a\): it is no bcrypt hash\n/,
    },
  ];
  for (const { config, code, stderr } of cases) {
    const file = sandbox.write("web.yml", config);
    await runCase({
      name: config,
      run: ["run", "trace_exec", "--metrics", "--web.config.file", file],
      expect: { code, stdout: "", stderr },
      check: (outcome) => {
        assertOneError(outcome.stderr);
        assert(!outcome.stderr.includes("secret"), "it prints the password");
      },
    });
  }
  await runCase({
    name: "no file",
    run: ["run", "trace_exec", "--metrics", "--web.config.file", sandbox.path("no.yml")],
    expect: { code: 2, stderr: /^error: Cannot read "\S+no\.yml": ENOENT from open\nhint: / },
  });
  await runCase({
    name: "no metrics",
    run: ["run", "trace_exec", "--web.config.file", sandbox.write("web.yml", "")],
    expect: {
      code: 2,
      stderr: /^error: --web\.config\.file is about metrics, and none are served/,
    },
  });
});
