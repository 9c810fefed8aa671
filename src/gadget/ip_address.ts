/** Addresses of `struct gadget_l3endpoint_t`: 16 bytes of address, one byte of IP version, padding. */

const ADDRESS_BYTES = 16;

/** Bytes of the address in network order followed by its version; `undefined` if the text is no address. */
export function parseL3Endpoint(text: string, sizeBytes: number): Uint8Array | undefined {
  const ipv4 = parseIpv4(text);
  const address = ipv4 ?? parseIpv6(text);
  if (address === undefined) return undefined;
  const bytes = new Uint8Array(sizeBytes);
  bytes.set(address);
  bytes[ADDRESS_BYTES] = ipv4 === undefined ? 6 : 4;
  return bytes;
}

function parseIpv4(text: string): number[] | undefined {
  const parts = text.split(".");
  const isAddress = parts.length === 4 &&
    parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
  return isAddress ? parts.map(Number) : undefined;
}

function parseIpv6(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(parseGroups);
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  if (halves.length === 1) return head.length === ADDRESS_BYTES ? head : undefined;
  const missing = ADDRESS_BYTES - head.length - (tail?.length ?? 0);
  if (missing < 2) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail ?? []];
}

/** Bytes of groups separated by colons; the last may be an IPv4 address. */
function parseGroups(text: string): number[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    const ipv4 = index === groups.length - 1 ? parseIpv4(group) : undefined;
    if (ipv4 !== undefined) {
      bytes.push(...ipv4);
    } else if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else {
      return undefined;
    }
  }
  return bytes;
}
