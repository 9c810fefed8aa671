/** Runs the tools of the build. */

/** What a tool wrote, and whether it succeeded. */
export interface CommandResult {
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a tool to its end. Throws: Error if there is no such tool. */
export async function tryCommand(
  command: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; clearEnv?: boolean } = {},
): Promise<CommandResult> {
  const [program, ...args] = command;
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    stdin: "null",
    ...options,
  }).output();
  const decoder = new TextDecoder();
  return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs a tool that must succeed, and returns its output. Throws: Error with what it wrote. */
export async function runCommand(
  command: readonly string[],
  options: Parameters<typeof tryCommand>[1] = {},
): Promise<string> {
  const { success, stdout, stderr } = await tryCommand(command, options);
  if (!success) throw new Error(`${command.join(" ")} failed:\n${stderr}${stdout}`);
  return stdout;
}
