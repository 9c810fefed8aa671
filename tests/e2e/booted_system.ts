/** A system of the test's own, booted by the real systemd: this machine's files, with what is changed kept apart. */

import { CHECKOUT } from "./kmeter_command.ts";
import { ChildProcess } from "./kmeter_process.ts";
import type { Sandbox } from "./sandbox.ts";

const SYSTEMD = "/lib/systemd/systemd";
/** In namespaces of their own, so that neither processes, mounts, ports nor control groups meet those outside. */
const UNSHARE = [
  ...["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"],
  ...["--cgroup", "--ipc", "--uts", "--net"],
];

/** Makes the file system below SCRATCH. What the kernel has only once, /sys and /proc/sys, cannot be written. */
const MAKE_ROOT = `set -eu
mount -t tmpfs scratch "$SCRATCH"
mkdir "$SCRATCH/upper" "$SCRATCH/work" "$SCRATCH/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$SCRATCH/upper,workdir=$SCRATCH/work" "$SCRATCH/root"
cd "$SCRATCH/root"
mount -t tmpfs run run
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
`;

/** Starts systemd there with the probe and nothing else: neither this machine's services nor its early boot. */
const BOOT = `
mount -t tracefs tracefs sys/kernel/tracing
mount -t tmpfs dev dev
for name in null zero full random urandom; do
  touch "dev/$name"
  mount --bind "/dev/$name" "dev/$name"
done
mkdir dev/shm dev/pts
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount --bind "$SHARED" mnt
DESTDIR="$SCRATCH/root" "$CHECKOUT/scripts/install" --prefix /usr --from "$DIST" >/dev/null
rm -rf etc/systemd/system/*.wants usr/lib/systemd/system/*.wants etc/systemd/system/kmeter.service.d
cat >etc/systemd/system/probe.service <<END
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
StandardOutput=file:/mnt/output
StandardError=inherit
ExecStart=/bin/sh -u /mnt/probe
ExecStopPost=/bin/systemctl exit
END
ip link set lo up
exec env -i container=kmeter-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
  chroot . ${SYSTEMD} --system --unit=probe.service --log-target=console --show-status=no
`;

/** Why no such system can be booted here; undefined if it can. */
export function missingForBoot(): string | undefined {
  if (Deno.uid() !== 0) return "needs root";
  if (!existsSystemd()) return `needs ${SYSTEMD}`;
  if (cgroupRoot() === undefined) return "needs a mounted cgroup2";
  const scratch = Deno.makeTempDirSync({ prefix: "kmeter_e2e_" });
  try {
    const { success, stderr } = new Deno.Command(UNSHARE[0], {
      args: [...UNSHARE.slice(1), "sh", "-c", MAKE_ROOT],
      env: { SCRATCH: scratch },
      stdin: "null",
    }).outputSync();
    return success ? undefined : new TextDecoder().decode(stderr).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "needs unshare";
    throw error;
  } finally {
    Deno.removeSync(scratch);
  }
}

/**
 * Boots a system with a program installed at /usr/bin/kmeter, and runs a shell script in it, which finds itself
 * in /mnt. @returns what the script wrote.
 */
export async function probeBooted(
  sandbox: Sandbox,
  { program, probe }: { program: string; probe: string },
): Promise<string> {
  const shared = sandbox.path("shared");
  sandbox.write("shared/probe", probe);
  Deno.mkdirSync(sandbox.path("scratch"));
  for (const name of ["kmeter.1", "kmeter.bash", "kmeter.zsh", "kmeter.fish"]) {
    sandbox.write(`dist/${name}`, "");
  }
  Deno.symlinkSync(program, sandbox.path("dist/kmeter"));
  using cgroup = new Cgroup(`${cgroupRoot()}/kmeter_e2e_${crypto.randomUUID()}`);
  // The namespace of control groups begins at the group that its first process is in.
  const enter = `echo $$ >"${cgroup.folder}/cgroup.procs"; exec "$@"`;
  await using system = new ChildProcess(
    ["sh", "-c", enter, "sh", ...UNSHARE, "sh", "-c", MAKE_ROOT + BOOT],
    {
      env: {
        SCRATCH: sandbox.path("scratch"),
        SHARED: shared,
        DIST: sandbox.path("dist"),
        CHECKOUT,
      },
    },
  );
  const { stdout, stderr } = await system.finish({ timeoutMs: 60_000 });
  try {
    return Deno.readTextFileSync(`${shared}/output`);
  } catch (cause) {
    throw new Error(`the system never came to the probe:\n${stdout}${stderr}`, { cause });
  }
}

function existsSystemd(): boolean {
  try {
    return Deno.statSync(SYSTEMD).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Where control groups of version 2 are. */
function cgroupRoot(): string | undefined {
  return /^\S+ (\S+) cgroup2 /m.exec(Deno.readTextFileSync("/proc/self/mounts"))?.[1];
}

/** A control group that is gone, with those below it, when its processes are. */
class Cgroup implements Disposable {
  constructor(readonly folder: string) {
    Deno.mkdirSync(folder);
  }

  [Symbol.dispose](): void {
    removeGroups(this.folder);
  }
}

function removeGroups(folder: string): void {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) removeGroups(`${folder}/${name}`);
  }
  // Its files are the kernel's, and go with it.
  Deno.removeSync(folder);
}
