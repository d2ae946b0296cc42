import type { Parser } from 'mqtt-packet';
import { parser } from 'mqtt-packet';
import type { Acknowledged } from './acknowledgement.ts';
import { isAcknowledgement, readAcknowledgement } from './acknowledgement.ts';
import type { Framer } from './framing.ts';
import { createFramer } from './framing.ts';
import type { Packet } from './packets.ts';
import type { Publish } from './publish.ts';
import { PUBLISH, readPublish } from './publish.ts';
import type { Fault } from './reasons.ts';
import { fault, REASON } from './reasons.ts';
import type { Version } from './version.ts';

/** What a server sends, beside PUBLISH and its acknowledgements. */
export type Answer = Exclude<Packet, { readonly cmd: 'publish' }>;

export type ClientHandler = {
  readonly acknowledged: Acknowledged;
  readonly packet: (packet: Publish | Answer) => void;
  /** What came is not what a server may send: nothing more will be read from it. */
  readonly broken: (fault: Fault) => void;
};

/** Takes in what a server sends, in a version that the client has chosen. */
export function createClientFramer(maxBytes: number, version: Version, handler: ClientHandler): Framer {
  const frame = (bytes: Buffer, start: number, bodyAt: number, end: number): Fault | undefined => {
    const first = bytes[start] ?? 0;
    if (isAcknowledgement(first))
      return readAcknowledgement(bytes, first, bodyAt, end, version, handler.acknowledged);
    const packet =
      (first & 0xf0) === PUBLISH
        ? readPublish(bytes, first, bodyAt, end, version)
        : parse(bytes.subarray(start, end), version);
    if ('code' in packet) return packet;
    handler.packet(packet);
    return undefined;
  };
  return createFramer(maxBytes, { frame, broken: handler.broken });
}

/** One packet by mqtt-packet. */
function parse(frame: Buffer, version: Version): Answer | Fault {
  const packets: Parser = parser({ protocolVersion: version });
  let found: Packet | undefined;
  let wrong: string | undefined;
  packets.on('packet', packet => {
    found = packet;
  });
  packets.on('error', (error: unknown) => {
    wrong = error instanceof Error ? error.message : String(error);
  });
  try {
    if (packets.parse(frame) > 0) wrong ??= 'a packet is not as long as it says';
  } catch (thrown) {
    if (!(thrown instanceof RangeError || thrown instanceof TypeError)) throw thrown;
    wrong ??= 'a packet is cut short';
  }
  if (wrong !== undefined || found === undefined || found.cmd === 'publish')
    return fault(REASON.malformedPacket, wrong ?? 'a packet is none');
  return found;
}
