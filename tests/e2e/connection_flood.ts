/**
 * A client that connects many times, asks nothing, and holds what it has until it is killed. Arguments:
 * host, port, number of connections. Prints when they are made.
 */
// deno-lint-ignore-file no-console -- its output is what it is for

const [hostname, port, count] = Deno.args;
const AT_A_TIME = 100;

const held: Deno.Conn[] = [];
while (held.length < Number(count)) {
  const connecting = Array.from(
    { length: AT_A_TIME },
    () => Deno.connect({ hostname, port: Number(port) }),
  );
  held.push(...await Promise.all(connecting));
}
console.log(`${held.length} connections`);
await new Promise((resolve) => setTimeout(resolve, 600_000));
