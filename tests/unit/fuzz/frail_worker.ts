/** Stands in for a fuzzer's process: input 2 kills it, input 4 hangs it, input 6 fails. */

const encoder = new TextEncoder();
const say = (line: string) => Deno.stdout.writeSync(encoder.encode(`${line}\n`));

const [_target, first, _seconds, count] = Deno.args;
for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
  say(`seed ${seed}`);
  if (seed === 2) Deno.kill(Deno.pid, "SIGKILL");
  if (seed === 4) { while (true); }
  if (seed === 6) say(`failed ${JSON.stringify("Error: six")}`);
}
say("done ");
