/** A dist/ in which releases were made before. */

// @ts-types="../_std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { removeOtherVersions } from "../../../scripts/dist/remove_others.ts";

Deno.test("a release takes away the files of others, and leaves those of strangers", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kmeter_dist_" });
  try {
    const released = [
      "kmeter",
      "kmeter-0.2.0-linux-x86_64.tar.zst",
      "kmeter_0.2.0_amd64.deb",
      "vmlinux-0.2.0.h.zst",
    ];
    const strangers = ["kmeter-notes.tar.zst", "kmeter_other.txt", "vmlinux-6.1.h"];
    const older = [
      "kmeter-0.1.0-g1c9347f30dab-linux-x86_64.tar.zst",
      "kmeter_0.2.0~rc.1_amd64.deb",
      "vmlinux-0.2.0-rc.1.h.zst",
    ];
    for (const name of [...released, ...strangers, ...older]) {
      await Deno.writeTextFile(`${folder}/${name}`, "");
    }
    await Deno.mkdir(`${folder}/kmeter_1.deb`);
    await removeOtherVersions(folder, released);
    const left = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    assertEquals(left, ["kmeter_1.deb", ...released, ...strangers].sort());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
