import { isIPv6 } from 'node:net';

/**
 * Number of groups of an IPv6 address that identify the network. A machine in this network chooses the other
 * four groups (RFC 4291, 2.5.4).
 */
const NETWORK_GROUPS = 4;
const GROUPS = 8;

/**
 * Returns the part of an address that the machine with this address cannot choose: an IPv4 address, or the
 * /64 network of an IPv6 address. Any other text is returned unchanged.
 */
export function networkOf(address: string): string {
  const [plain = ''] = address.split('%');
  if (!isIPv6(plain) || plain.includes('.')) return address;
  const [head = '', tail] = plain.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : GROUPS - before.length - after.length;
  const groups = [...before, ...Array.from({ length: zeros }, () => '0'), ...after];
  const network = groups.slice(0, NETWORK_GROUPS).map(group => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}
