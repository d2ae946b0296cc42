import type { Owner } from '../properties.ts';
import { readProperties } from '../properties.ts';
import type { PacketReader } from '../reader.ts';
import { createPacketReader, readByte, readUint16, setError } from '../reader.ts';
import type { ProtocolError } from '../reasons.ts';
import { protocolError, REASON } from '../reasons.ts';
import type { Version } from '../version.ts';
import type { Connack } from './connack.ts';
import { readConnack } from './connack.ts';

/** Packets from a server, except PUBLISH and its acknowledgements. */
export type Answer =
  | Connack
  | { readonly cmd: 'suback' | 'unsuback'; readonly messageId: number; readonly granted: readonly number[] }
  | { readonly cmd: 'pingresp' }
  | { readonly cmd: 'disconnect'; readonly reasonCode: number; readonly reasonString: string | undefined };

/** Parsers by the first byte of the packet, which includes the required flags (MQTT 5, 2.1.3). */
const READERS: ReadonlyMap<number, (reader: PacketReader, version: Version) => Answer> = new Map<
  number,
  (reader: PacketReader, version: Version) => Answer
>([
  [0x20, readConnack],
  [0x90, readGrants('suback')],
  [0xb0, readGrants('unsuback')],
  [0xd0, () => ({ cmd: 'pingresp' })],
  [0xe0, readDisconnect],
]);

/**
 * Parses a packet from a server. Returns an error if the packet is invalid. `first` is the first byte of the
 * packet. The bytes after the fixed header are at `start` to `end`.
 */
export function readAnswer(
  bytes: Buffer,
  first: number,
  start: number,
  end: number,
  version: Version,
): Answer | ProtocolError {
  const read = READERS.get(first);
  if (read === undefined)
    return protocolError(REASON.protocolError, 'it sent a packet that no server may send');
  const reader = createPacketReader(bytes, start, end, 'lenient');
  const answer = read(reader, version);
  if (reader.at < end) setError(reader, REASON.malformedPacket, 'a packet has bytes after its last field');
  return reader.error ?? answer;
}

/**
 * Parses SUBACK and UNSUBACK (3.9, 3.11), which have one code for each filter. UNSUBACK has no codes before
 * MQTT 5.
 */
function readGrants(cmd: 'suback' | 'unsuback') {
  return (reader: PacketReader, version: Version): Answer => {
    const messageId = readUint16(reader);
    if (version === 5) readProperties(reader, cmd satisfies Owner);
    const granted: number[] = [];
    while (reader.at < reader.end && reader.error === undefined) granted.push(readByte(reader));
    return { cmd, messageId, granted };
  };
}

/** Parses DISCONNECT (3.14), which only servers of MQTT 5 send. */
function readDisconnect(reader: PacketReader, version: Version): Answer {
  if (version < 5) setError(reader, REASON.protocolError, 'it sent a packet that only a client may send');
  const reasonCode = reader.at < reader.end ? readByte(reader) : REASON.success;
  const texts = reader.at < reader.end ? readProperties(reader, 'disconnect').texts : {};
  return { cmd: 'disconnect', reasonCode, reasonString: texts.reasonString };
}
