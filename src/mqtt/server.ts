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
   * Called for a PUBLISH at `start` to `end` of `bytes` before the packet is parsed. The length field of the
   * topic is at `topicAt`. Returns `passed` if the packet is handled, `later` if the packet is to be passed
   * again after `resume`, and `read` if the packet is to be parsed and passed to `packet`.
   */
  readonly publish: (
    bytes: Buffer,
    start: number,
    topicAt: number,
    end: number,
  ) => 'passed' | 'later' | 'read';
  /**
   * Called for each packet except CONNECT and PUBLISH before the packet is parsed. `stored` is true if the
   * packet changes the stored session.
   */
  readonly other: (stored: boolean) => 'later' | 'read';
  readonly acknowledged: Acknowledged;
  readonly packet: (packet: Publish | Request) => void;
  /** Called for a protocol error of the client. No further bytes are read. */
  readonly broken: (fault: ProtocolError) => void;
};

/** First byte of CONNECT. Each connection must begin with CONNECT [MQTT-3.1.0-1]. */
export const CONNECT_HEADER = 0x10;

/**
 * First bytes of the packets other than PUBLISH that change the stored session: PUBREL, SUBSCRIBE and
 * UNSUBSCRIBE.
 */
const STORED: ReadonlySet<number> = new Set([0x62, 0x82, 0xa2]);

/**
 * Creates the framer, which splits the byte stream of a client into packets. The first packet is CONNECT,
 * which has at most `maxConnectBytes` bytes and defines the protocol version. Each other packet has at most
 * `maxBytes` bytes.
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
      const result = handler.publish(bytes, start, bodyAt, end);
      if (result === 'read') return passOn(readPublish(bytes, first, bodyAt, end, version));
      return result === 'later' ? 'later' : undefined;
    }
    if (handler.other(STORED.has(first)) === 'later') return 'later';
    if (isAcknowledgement(first))
      return readAcknowledgement(bytes, first, bodyAt, end, version, handler.acknowledged);
    return passOn(readRequest(bytes, first, bodyAt, end, version));
  };

  const connect = (bytes: Buffer, first: number, bodyAt: number, end: number): ProtocolError | undefined => {
    // A CONNECT contains its version, so the version passed here is not used.
    const request = readRequest(bytes, first, bodyAt, end, 4);
    if ('code' in request) return request;
    // The first packet must be CONNECT [MQTT-3.1.0-1].
    if (request.cmd !== 'connect')
      return protocolError(REASON.protocolError, 'its first packet is not CONNECT');
    version = request.version;
    return passOn(request);
  };

  const passOn = (packet: Publish | Request | ProtocolError): ProtocolError | undefined => {
    if ('code' in packet) return packet;
    // A client must not send a subscription identifier in a PUBLISH [MQTT-3.3.4-6].
    if (packet.cmd === 'publish' && (packet.properties?.subscriptionIds.length ?? 0) > 0)
      return protocolError(REASON.protocolError, 'PUBLISH has a subscription identifier');
    handler.packet(packet);
    return undefined;
  };

  const limit = (): number => (version === undefined ? maxConnectBytes : maxBytes);
  return createFramer(limit, { frame, broken: handler.broken });
}
