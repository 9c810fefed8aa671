// @ts-types="../_std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { hashSync } from "bcryptjs";
import { PasswordChecker } from "../../../src/export/password_checker.ts";

const basic = (credentials: string) => `Basic ${new TextEncoder().encode(credentials).toBase64()}`;

/** A checker whose hashes are the passwords, that notes what is compared. */
function checker({ takesMs = 0 } = {}) {
  const compared: string[] = [];
  let atOnce = 0;
  let mostAtOnce = 0;
  const passwords = new PasswordChecker(async (password, hash) => {
    compared.push(`${password} ${hash}`);
    mostAtOnce = Math.max(mostAtOnce, ++atOnce);
    await new Promise((resolve) => setTimeout(resolve, takesMs));
    atOnce--;
    return password === hash;
  });
  return { passwords, compared, mostAtOnce: () => mostAtOnce };
}

Deno.test("bcrypt's own hashes are checked, of each of its versions", async () => {
  const hash = hashSync("pässword", 4);
  for (const version of ["$2a$", "$2b$", "$2y$"]) {
    const users = new Map([["user", hash.replace("$2b$", version)]]);
    const passwords = new PasswordChecker();
    assertEquals(await passwords.check(basic("user:pässword"), users), "right", version);
    assertEquals(await passwords.check(basic("user:password"), users), "wrong", version);
  }
});

Deno.test("a user that does not exist costs one comparison, and never is right", async () => {
  const { passwords, compared } = checker();
  const users = new Map([["a", "one"], ["b", "two"]]);
  for (let attempt = 0; attempt < 2; attempt++) {
    for (const password of ["one", "two"]) {
      assertEquals(await passwords.check(basic(`nobody:${password}`), users), "wrong");
    }
  }
  assertEquals(compared.length, 4);
  const hashes = new Set(compared.map((entry) => entry.split(" ")[1]));
  assertEquals(hashes.size, 1, "a stranger meets the same hash each time, as a user does");
});

Deno.test("right passwords are remembered, wrong ones are not", async () => {
  const { passwords, compared } = checker();
  const users = new Map([["a", "one"]]);
  for (let attempt = 0; attempt < 3; attempt++) {
    assertEquals(await passwords.check(basic("a:one"), users), "right");
    assertEquals(await passwords.check(basic("a:two"), users), "wrong");
  }
  assertEquals(compared.filter((entry) => entry === "one one").length, 1);
  assertEquals(compared.filter((entry) => entry === "two one").length, 3);
});

Deno.test("what is remembered ends with the hash and with the user, and is bounded", async () => {
  const { passwords, compared } = checker();
  const check = (user: string, users: [string, string][]) =>
    passwords.check(basic(`${user}:one`), new Map(users));
  assertEquals(await check("a", [["a", "one"]]), "right");
  assertEquals(await check("a", [["a", "two"]]), "wrong");
  assertEquals(await check("a", [["b", "one"]]), "wrong");
  assertEquals(await check("b", [["a", "one"], ["b", "two"]]), "wrong");
  const many = Array.from({ length: 300 }, (_, at): [string, string] => [`u${at}`, "one"]);
  for (const [user] of many) assertEquals(await check(user, many), "right");
  const before = compared.length;
  assertEquals(await check("u299", many), "right");
  assertEquals(compared.length, before);
  assertEquals(await check("u0", many), "right");
  assertEquals(compared.length, before + 1);
});

Deno.test("one check at a time, equal ones together, and too many are sent away", async () => {
  const { passwords, compared, mostAtOnce } = checker({ takesMs: 5 });
  const users = new Map([["a", "one"]]);
  const same = Array.from({ length: 20 }, () => passwords.check(basic("a:one"), users));
  assertEquals(new Set(await Promise.all(same)), new Set(["right"]));
  assertEquals(compared.length, 1);
  const guesses = Array.from({ length: 20 }, (_, at) => passwords.check(basic(`a:${at}`), users));
  // Who is known already does not wait for those.
  const startMs = performance.now();
  assertEquals(await passwords.check(basic("a:one"), users), "right");
  assert(performance.now() - startMs < 50);
  const verdicts = await Promise.all(guesses);
  assertEquals(verdicts.filter((verdict) => verdict === "wrong").length, 9);
  assertEquals(verdicts.filter((verdict) => verdict === "busy").length, 11);
  assertEquals(mostAtOnce(), 1);
});

Deno.test("a check that fails by itself does not keep others from theirs", async () => {
  let isBroken = true;
  const passwords = new PasswordChecker(() =>
    isBroken ? Promise.reject(new Error("broken")) : Promise.resolve(true)
  );
  const users = new Map([["a", "one"]]);
  const failure = await passwords.check(basic("a:one"), users).catch((error) => error.message);
  assertEquals(failure, "broken");
  isBroken = false;
  assertEquals(await passwords.check(basic("a:one"), users), "right");
});

Deno.test("a header without credentials costs nothing", async () => {
  const { passwords, compared } = checker();
  const users = new Map([["a", "one"]]);
  const headers = [
    null,
    "",
    "Basic",
    "Basic !!!!",
    "Basic YQ",
    "Bearer YTpvbmU=",
    basic("no colon"),
  ];
  for (const header of headers) assertEquals(await passwords.check(header, users), "wrong");
  assertEquals(compared, []);
  assertEquals(await passwords.check(basic("a:one").replace("Basic", "bAsIc"), users), "right");
});
