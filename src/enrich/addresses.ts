/** IP addresses, endpoints and transport protocols as text. */

/** The first 4 of the given bytes in dotted form. */
export function ipv4Text(bytes: Uint8Array): string {
  return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
}

/** 16 bytes in the one canonical form of RFC 5952; IPv4-mapped addresses as `::ffff:1.2.3.4`. */
export function ipv6Text(bytes: Uint8Array): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((bytes[i] << 8) | bytes[i + 1]);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (isMapped) return `::ffff:${ipv4Text(bytes.subarray(12))}`;
  const { start, length } = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

/** The first of the longest runs: RFC 5952 section 4.2.3. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (let i = 0; i < groups.length; i++) {
    length = groups[i] === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: i - length + 1, length };
  }
  return best;
}

/** Address by IP version; "" if the version is neither 4 nor 6: nothing was recorded. */
export function ipText(bytes: Uint8Array, version: number): string {
  if (version === 4) return ipv4Text(bytes);
  return version === 6 && bytes.length >= 16 ? ipv6Text(bytes) : "";
}

/** `1.2.3.4:80` or `[::1]:80`; "" without an address. */
export function endpointText(address: string, port: number): string {
  if (address === "") return "";
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

const PROTOCOLS: Readonly<Record<number, string>> = {
  0: "IP",
  1: "ICMP",
  2: "IGMP",
  4: "IPIP",
  6: "TCP",
  17: "UDP",
  33: "DCCP",
  41: "IPV6",
  46: "RSVP",
  47: "GRE",
  50: "ESP",
  51: "AH",
  58: "ICMPV6",
  89: "OSPF",
  103: "PIM",
  108: "COMP",
  112: "VRRP",
  115: "L2TP",
  132: "SCTP",
  136: "UDPLITE",
  137: "MPLS",
  143: "ETHERNET",
  255: "RAW",
  262: "MPTCP",
};

/** Name of an `IPPROTO_` number, `proto#N` if unknown. */
export function protocolText(protocol: number): string {
  return PROTOCOLS[protocol] ?? `proto#${protocol}`;
}
