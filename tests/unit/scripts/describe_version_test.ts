/** Versions of repositories that are made for it. */

// @ts-types="../_std_assert.d.ts"
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { describeVersion, sourceTime } from "../../../scripts/compile/describe_version.ts";
import { runCommand } from "../../../scripts/compile/run_command.ts";

const TIME = 1_700_000_000;

/** A checkout that has one commit, at TIME. Ownership: `using`. */
class Checkout implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "kmeter_version_" });
  readonly path = `${this.folder}/kmeter`;

  static async create(): Promise<Checkout> {
    const checkout = new Checkout();
    Deno.mkdirSync(checkout.path);
    Deno.writeTextFileSync(`${checkout.path}/deno.json`, '{"version": "1.2.3"}\n');
    await checkout.git("init", "--quiet");
    await checkout.git("add", ".");
    await checkout.commit();
    return checkout;
  }

  async commit(): Promise<void> {
    await this.git("commit", "--quiet", "--allow-empty", "--message=commit");
  }

  async git(...args: readonly string[]): Promise<string> {
    const date = `${TIME} +0900`;
    return await runCommand(["git", "-C", this.path, ...args], {
      env: {
        // The settings of whoever runs this are not the test's.
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_CONFIG_SYSTEM: "/dev/null",
        GIT_AUTHOR_NAME: "a",
        GIT_AUTHOR_EMAIL: "a@example.org",
        GIT_COMMITTER_NAME: "a",
        GIT_COMMITTER_EMAIL: "a@example.org",
        GIT_AUTHOR_DATE: date,
        GIT_COMMITTER_DATE: date,
      },
    });
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

Deno.test("a commit without a tag is a development version, with its number and hash", async () => {
  using checkout = await Checkout.create();
  await checkout.git("tag", "nightly");
  const { text, doubt } = await describeVersion(checkout.path);
  assertMatch(text, /^1\.2\.3-dev\.1-g[0-9a-f]{12}$/);
  assertEquals(doubt, undefined);
});

Deno.test("a tagged commit is its tag, later ones count from it, and changes show", async () => {
  using checkout = await Checkout.create();
  await checkout.git("tag", "v2.0.0-rc.1");
  assertEquals(await describeVersion(checkout.path), { text: "2.0.0-rc.1" });
  await checkout.commit();
  assertMatch((await describeVersion(checkout.path)).text, /^2\.0\.0-rc\.1-1-g[0-9a-f]{12}$/);
  Deno.writeTextFileSync(`${checkout.path}/deno.json`, '{"version": "2.0.0"}\n');
  assertMatch((await describeVersion(checkout.path)).text, /-dirty$/);
});

Deno.test("a shallow clone without the tag says that it does not know", async () => {
  using checkout = await Checkout.create();
  await checkout.git("tag", "v2.0.0");
  await checkout.commit();
  await checkout.git("clone", "--quiet", "--depth=1", `file://${checkout.path}`, "../shallow");
  const { text, doubt } = await describeVersion(`${checkout.folder}/shallow`);
  assertMatch(text, /^1\.2\.3-dev\.1-g[0-9a-f]{12}$/);
  assertMatch(`${doubt}`, /git fetch --unshallow --tags/);
});

Deno.test("a folder without a repository has the version of deno.json, even inside another's", async () => {
  using checkout = await Checkout.create();
  await checkout.git("tag", "v2.0.0");
  const unpacked = `${checkout.path}/unpacked`;
  Deno.mkdirSync(unpacked);
  Deno.copyFileSync(`${checkout.path}/deno.json`, `${unpacked}/deno.json`);
  const { text, doubt } = await describeVersion(unpacked);
  assertEquals(text, "1.2.3-nogit");
  assertMatch(`${doubt}`, /commit is unknown/);
  const error = await assertRejects(() => sourceTime(unpacked, undefined), Error, "has no commit");
  assertMatch(error.message, /SOURCE_DATE_EPOCH/);
});

Deno.test("a clone that belongs to somebody else is described all the same", {
  ignore: Deno.uid() !== 0,
}, async () => {
  using checkout = await Checkout.create();
  await checkout.git("tag", "v2.0.0");
  await runCommand(["chown", "-R", "65534:65534", checkout.path]);
  await assertRejects(() => checkout.git("describe"), Error, "dubious ownership");
  assertEquals(await describeVersion(checkout.path), { text: "2.0.0" });
  assertEquals(await sourceTime(checkout.path, undefined), TIME);
});

Deno.test("the time of the sources is the commit's, unless SOURCE_DATE_EPOCH says another", async () => {
  using checkout = await Checkout.create();
  assertEquals(await sourceTime(checkout.path, undefined), TIME);
  assertEquals(await sourceTime(checkout.path, ""), TIME);
  assertEquals(await sourceTime(checkout.path, "5"), 5);
  await assertRejects(() => sourceTime(checkout.path, "yesterday"), Error, '"yesterday"');
});
