/** What kmeter tells the service manager that started it. */

// @ts-types="../unit/_std_assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { runCase, testWith } from "./cases.ts";
import { ChildProcess } from "./kmeter_process.ts";
import { Sandbox } from "./sandbox.ts";
import { ANY_PORT, readPage, servedAt } from "./scrape.ts";

const PYTHON = "/usr/bin/python3";

/** Prints each datagram that comes to the address of its argument, as a Python literal. */
const LISTENER = `import socket,sys
address = sys.argv[1]
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind("\\0" + address[1:] if address.startswith("@") else address)
print("listening", flush=True)
while True: print(listener.recv(4096), flush=True)`;

const READY = "listening\nb'READY=1\\n'\n";
const STOPPING = "b'STOPPING=1\\n'\n";

function testNotify(name: string, addressIn: (sandbox: Sandbox) => string): void {
  testWith(name, ["root", PYTHON], async () => {
    using sandbox = new Sandbox();
    const address = addressIn(sandbox);
    await using listener = new ChildProcess([PYTHON, "-c", LISTENER, address]);
    await listener.waitFor("stdout", /listening/);
    await runCase({
      name,
      run: ["run", "trace_exec", ANY_PORT, "-o", "none"],
      options: { env: { NOTIFY_SOCKET: address } },
      during: async (kmeter) => {
        await listener.waitFor("stdout", /READY/);
        assertEquals(listener.stdout, READY);
        // Ready means that a scrape is answered.
        assertMatch(await readPage(await servedAt(kmeter)), /kmeter_events_received_total/);
        kmeter.kill("SIGTERM");
        await listener.waitFor("stdout", /STOPPING/);
      },
      expect: { code: 0, stdout: "", stderr: /^trace_exec: metrics at \S+\n$/ },
      check: () => assertEquals(listener.stdout, READY + STOPPING),
    });
  });
}

testNotify("a service manager at a path hears of start and stop", (sandbox) => sandbox.path("n"));
testNotify(
  "a service manager at an abstract name hears of start and stop",
  () => `@kmeter-${crypto.randomUUID()}`,
);

testWith("a gadget that does not start is never ready", ["root", PYTHON], async () => {
  using sandbox = new Sandbox();
  const address = sandbox.path("n");
  await using listener = new ChildProcess([PYTHON, "-c", LISTENER, address]);
  await listener.waitFor("stdout", /listening/);
  await runCase({
    name: "a gadget that does not start is never ready",
    run: ["run", "trace_exec", ANY_PORT, "--btf", sandbox.write("btf", "none")],
    options: { env: { NOTIFY_SOCKET: address } },
    expect: { code: 1, stdout: "" },
  });
  assertEquals(listener.stdout, "listening\n");
});

for (
  const [name, address, warning] of [
    ["a service manager that is gone", "/nowhere/notify", /ENOENT from sendto/],
    ["an address that is no socket's", "/etc/passwd", /ECONNREFUSED from sendto/],
    ["an address of another kind", "vsock:2:1234", /want a path or @NAME/],
    ["an address that is too long", `/${"x".repeat(108)}`, /at most 108 bytes/],
  ] as const
) {
  testWith(`${name} is a warning`, ["root"], () =>
    runCase({
      name,
      run: ["run", "trace_exec", ANY_PORT, "-o", "none", "-t", "0.1"],
      options: { env: { NOTIFY_SOCKET: address } },
      expect: { code: 0, stdout: "", stderr: [/^warning: /m, warning] },
    }));
}
