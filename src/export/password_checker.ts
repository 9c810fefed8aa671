/** HTTP basic authentication against bcrypt hashes. */

/** `busy`: too many passwords are being checked. */
export type PasswordVerdict = "right" | "wrong" | "busy";

/** Compares a password with a hash. */
export type Compare = (password: string, hash: string) => Promise<boolean>;

/** Checks that may wait for the one under way: each costs 0.1 s and more of this thread. */
const MAX_WAITING = 8;
/** Right passwords that are remembered. */
const MAX_REMEMBERED = 256;

/**
 * Checks passwords one at a time. bcrypt runs on this thread in turns of 100 ms, between which others are
 * served; behind a wrong password it pauses for as long as that took, so that guessing takes half of a CPU
 * at most. A right one is remembered, by a keyed hash: a scraper pays for bcrypt once.
 */
export class PasswordChecker {
  readonly #compare: Compare;
  /** Right ones, oldest first, as keyed hashes of user, bcrypt hash and password. */
  readonly #remembered = new Set<string>();
  /** Checks under way or waiting, by the same. */
  readonly #underWay = new Map<string, Promise<boolean>>();
  #queue: Promise<void> = Promise.resolve();
  #key: Promise<CryptoKey> | undefined;

  /** @param compare bcrypt; loaded at the first check unless given. */
  constructor(compare: Compare = compareByBcrypt) {
    this.#compare = compare;
  }

  /**
   * Judges an `authorization` header. A user that does not exist costs the same work as one that does.
   *
   * @param users bcrypt hashes by user, at least one.
   */
  async check(
    authorization: string | null,
    users: ReadonlyMap<string, string>,
  ): Promise<PasswordVerdict> {
    const credentials = parseCredentials(authorization);
    if (credentials === undefined) return "wrong";
    const { user, password } = credentials;
    const digest = await this.#digest(user);
    const own = users.get(user);
    // Hashes may differ in cost: a stranger's name always meets the same one, as a user's does.
    const decoy = [...users.values()][digest[0] % users.size];
    const hash = own ?? decoy;
    const mark = (await this.#digest(JSON.stringify([user, hash, password]))).toBase64();
    if (own !== undefined && this.#remembered.has(mark)) return "right";
    let check = this.#underWay.get(mark);
    if (check === undefined) {
      if (this.#underWay.size > MAX_WAITING) return "busy";
      check = this.#enqueue(() => this.#compare(password, hash))
        .finally(() => this.#underWay.delete(mark));
      this.#underWay.set(mark, check);
    }
    const isRight = await check;
    if (own === undefined || !isRight) return "wrong";
    this.#remember(mark);
    return "right";
  }

  #enqueue(compare: () => Promise<boolean>): Promise<boolean> {
    const check = this.#queue.then(async () => {
      const startMs = performance.now();
      const isRight = await compare();
      return { isRight, pauseMs: isRight ? 0 : performance.now() - startMs };
    });
    this.#queue = check.then(
      ({ pauseMs }) => new Promise((resolve) => setTimeout(resolve, pauseMs)),
      () => {},
    );
    return check.then(({ isRight }) => isRight);
  }

  #remember(mark: string): void {
    this.#remembered.add(mark);
    if (this.#remembered.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#remembered) {
      this.#remembered.delete(oldest);
      return;
    }
  }

  /** HMAC under a key that nobody knows: neither what is kept nor the time it takes tells a password. */
  async #digest(text: string): Promise<Uint8Array> {
    this.#key ??= crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const bytes = new TextEncoder().encode(text);
    return new Uint8Array(await crypto.subtle.sign("HMAC", await this.#key, bytes));
  }
}

async function compareByBcrypt(password: string, hash: string): Promise<boolean> {
  const { compare } = await import("bcryptjs");
  return compare(password, hash);
}

/** User and password of a header, in UTF-8; undefined if it has none. */
function parseCredentials(
  authorization: string | null,
): { readonly user: string; readonly password: string } | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/]+=*) *$/i.exec(authorization ?? "")?.[1];
  if (encoded === undefined) return undefined;
  let text: string;
  try {
    text = new TextDecoder().decode(Uint8Array.fromBase64(encoded));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const colon = text.indexOf(":");
  if (colon < 0) return undefined;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
