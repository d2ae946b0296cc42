import type { Acknowledged } from './acknowledgement.ts';
import { isAcknowledgement, readAcknowledgement } from './acknowledgement.ts';
import type { Framer } from './framing.ts';
import { createFramer } from './framing.ts';
import type { Publish } from './read-publish.ts';
import { PUBLISH, readPublish } from './read-publish.ts';
import type { ProtocolError } from './reasons.ts';
import { protocolError, REASON } from './reasons.ts';
import type { Request } from './requests/index.ts';
import { readRequest } from './requests/index.ts';
import type { Version } from './version.ts';

export type ServerHandler = {
  /**
   * A PUBLISH, before it is read, at `start` to `end` of `bytes`, its topic at `topicAt`. `passed`: it is
   * done with; `later`: it is handed on again after `resume`; `read`: it is read, and comes by `packet`.
   */
  readonly publish: (
    bytes: Buffer,
    start: number,
    topicAt: number,
    end: number,
  ) => 'passed' | 'later' | 'read';
  /** Any other packet but CONNECT, before it is read; `stored`: its handler writes to the store. */
  readonly other: (stored: boolean) => 'later' | 'read';
  readonly acknowledged: Acknowledged;
  readonly packet: (packet: Publish | Request) => void;
  /** Called for a protocol error of the client. Nothing more is read. */
  readonly broken: (fault: ProtocolError) => void;
};

/** The first byte of the one packet that a connection may begin with [MQTT-3.1.0-1]. */
export const CONNECT_HEADER = 0x10;

/**
 * First bytes of packets other than PUBLISH that change the stored session: PUBREL, SUBSCRIBE, UNSUBSCRIBE.
 */
const STORED: ReadonlySet<number> = new Set([0x62, 0x82, 0xa2]);

/**
 * Creates the framer of a client's packets. CONNECT comes first, has at most `maxConnectBytes`, and sets the
 * version. Any other packet has at most `maxBytes`.
 */
export function createServerFramer(
  maxConnectBytes: number,
  maxBytes: number,
  handler: ServerHandler,
): Framer {
  let version: Version | undefined;

  const frame = (
    bytes: Buffer,
    start: number,
    bodyAt: number,
    end: number,
  ): ProtocolError | 'later' | undefined => {
    const first = bytes[start] ?? 0;
    if (version === undefined) return connect(bytes, first, bodyAt, end);
    if ((first & 0xf0) === PUBLISH) {
      const taken = handler.publish(bytes, start, bodyAt, end);
      if (taken === 'read') return hand(readPublish(bytes, first, bodyAt, end, version));
      return taken === 'later' ? 'later' : undefined;
    }
    if (handler.other(STORED.has(first)) === 'later') return 'later';
    if (isAcknowledgement(first))
      return readAcknowledgement(bytes, first, bodyAt, end, version, handler.acknowledged);
    return hand(readRequest(bytes, first, bodyAt, end, version));
  };

  const connect = (bytes: Buffer, first: number, bodyAt: number, end: number): ProtocolError | undefined => {
    // CONNECT contains the version, so this argument is not used.
    const request = readRequest(bytes, first, bodyAt, end, 4);
    if ('code' in request) return request;
    // [MQTT-3.1.0-1]
    if (request.cmd !== 'connect')
      return protocolError(REASON.protocolError, 'it does not begin with CONNECT');
    version = request.version;
    return hand(request);
  };

  const hand = (packet: Publish | Request | ProtocolError): ProtocolError | undefined => {
    if ('code' in packet) return packet;
    // [MQTT-3.3.4-6]
    if (packet.cmd === 'publish' && (packet.properties?.subscriptionIds.length ?? 0) > 0)
      return protocolError(REASON.protocolError, 'its PUBLISH has a subscription identifier');
    handler.packet(packet);
    return undefined;
  };

  const limit = (): number => (version === undefined ? maxConnectBytes : maxBytes);
  return createFramer(limit, { frame, broken: handler.broken });
}
