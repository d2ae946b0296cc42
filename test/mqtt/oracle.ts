import type { Packet } from 'mqtt-packet';
import { parser } from 'mqtt-packet';
import type { Version } from '../../src/mqtt/version.ts';

/** Number of packets in a comparison with mqtt-packet, by default 20,000. */
export const ORACLE_RUNS = { numRuns: Number(process.env['SKERRY_ORACLE_PACKETS'] ?? 20_000) };

/** Parses a packet with mqtt-packet. Undefined if mqtt-packet refuses the packet or needs more bytes. */
export function oracle(bytes: Buffer, version: Version): Packet | undefined {
  let found: Packet | undefined;
  let failed = false;
  const packets = parser({ protocolVersion: version });
  packets.on('packet', packet => {
    found = packet;
  });
  packets.on('error', () => {
    failed = true;
  });
  try {
    return packets.parse(bytes) === 0 && !failed ? found : undefined;
  } catch {
    return undefined;
  }
}

/** Returns a packet of `first` and `rest`, with the index of the rest. */
export function packetOf(first: number, rest: Buffer): { readonly packet: Buffer; readonly bodyAt: number } {
  const header = [first];
  let length = rest.length;
  for (; length >= 128; length = Math.floor(length / 128)) header.push((length % 128) | 128);
  header.push(length);
  return { packet: Buffer.concat([Buffer.from(header), rest]), bodyAt: header.length };
}
