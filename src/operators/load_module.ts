/** An operator out of a file. */

import type { Gadget, Operator, OperatorParam } from "./operator.ts";

/** @throws Error that says what the module lacks, or has thrown. */
export async function loadModule(url: string): Promise<Operator<Gadget>> {
  const { default: operator } = await importModule(url);
  if (typeof operator !== "object" || operator === null) {
    throw new Error("its default export is no operator: write export default { name, … }");
  }
  const { name, priority, params = [], instantiate } = operator;
  if (typeof name !== "string" || !/^[a-z][a-z0-9-]*$/.test(name)) {
    throw new Error(`its name is ${JSON.stringify(name)}: use a-z, 0-9 and dashes`);
  }
  if (typeof priority !== "number" || !Number.isFinite(priority)) {
    throw new Error("its priority is no number: the low ones come first");
  }
  if (typeof instantiate !== "function") throw new Error("it has no function instantiate(gadget)");
  if (!Array.isArray(params)) throw new Error("its params are no list");
  for (const param of params) checkParam(param, name);
  const names = params.map((param) => param.name);
  const twice = names.find((param, index) => names.indexOf(param) !== index);
  if (twice !== undefined) throw new Error(`there are two params ${twice}`);
  return operator as Operator<Gadget>;
}

interface LoadedModule {
  readonly default?: Partial<Operator<Gadget>>;
}

/** Deno shows lines of the source, in colours: what is wrong, and where, is enough. */
async function importModule(url: string): Promise<LoadedModule> {
  try {
    return await import(url) as LoadedModule;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // deno-lint-ignore no-control-regex -- that is what colours are
    const lines = error.message.replaceAll(/\x1b\[[0-9;]*m/g, "").split("\n");
    const place = lines.slice(1).find((line) => /^\s*at /.test(line));
    const isRemote = /--no-remote|--allow-import/.test(lines[0]);
    const what = isRemote ? "it imports code from the network, which it may not" : lines[0];
    throw new Error(what + (place === undefined ? "" : ` ${place.trim()}`), { cause: error });
  }
}

function checkParam(param: Partial<OperatorParam> | null, operator: string): void {
  const { name, description, value, short } = param ?? {};
  if (typeof name !== "string" || !name.startsWith(`${operator}-`)) {
    throw new Error(
      `a param is called ${JSON.stringify(name)}: begin the names of params with ${operator}-`,
    );
  }
  if (!/^[a-z0-9-]*[a-z0-9]$/.test(name)) {
    throw new Error(`a param is called ${JSON.stringify(name)}: use a-z, 0-9 and dashes`);
  }
  if (short !== undefined) throw new Error(`param ${name}: the short flags are kmeter's own`);
  if (typeof description !== "string") throw new Error(`param ${name} has no description`);
  if (value !== undefined && typeof value !== "string") {
    throw new Error(`param ${name}: value is what help shows for it, a text`);
  }
}
