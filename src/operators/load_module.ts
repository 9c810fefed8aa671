/** An operator out of a file. */

import type { Gadget, Operator, OperatorParam } from "./operator.ts";

/** @throws Error that says what the module lacks, or has thrown. */
export async function loadModule(url: string): Promise<Operator<Gadget>> {
  const loaded = await import(url) as { readonly default?: Partial<Operator<Gadget>> };
  const operator = loaded.default;
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
