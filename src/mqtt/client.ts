import type { Acknowledged } from './acknowledgement.ts';
import { isAcknowledgement, readAcknowledgement } from './acknowledgement.ts';
import type { Answer } from './answers/index.ts';
import { readAnswer } from './answers/index.ts';
import type { Framer } from './framing.ts';
import { createFramer } from './framing.ts';
import type { Publish } from './read-publish.ts';
import { PUBLISH, readPublish } from './read-publish.ts';
import type { ProtocolError } from './reasons.ts';
import type { Version } from './version.ts';

export type { Answer };

export type ClientHandler = {
  readonly acknowledged: Acknowledged;
  readonly packet: (packet: Publish | Answer) => void;
  /** Called for a protocol error of the server. No further bytes are read. */
  readonly broken: (fault: ProtocolError) => void;
};

/**
 * Creates a framer, which splits the byte stream of a server into packets. `version` is the protocol version
 * of the client.
 */
export function createClientFramer(maxBytes: number, version: Version, handler: ClientHandler): Framer {
  const frame = (bytes: Buffer, start: number, bodyAt: number, end: number): ProtocolError | undefined => {
    const first = bytes[start] ?? 0;
    if (isAcknowledgement(first))
      return readAcknowledgement(bytes, first, bodyAt, end, version, handler.acknowledged, 'server');
    const packet =
      (first & 0xf0) === PUBLISH
        ? readPublish(bytes, first, bodyAt, end, version, 'lenient')
        : readAnswer(bytes, first, bodyAt, end, version);
    if ('code' in packet) return packet;
    handler.packet(packet);
    return undefined;
  };
  return createFramer(() => maxBytes, { frame, broken: handler.broken });
}
