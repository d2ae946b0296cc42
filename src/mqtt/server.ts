import type { Acknowledged } from './acknowledgement.ts';
import { isAcknowledgement, readAcknowledgement } from './acknowledgement.ts';
import type { Framer } from './framing.ts';
import { createFramer } from './framing.ts';
import type { Publish } from './publish.ts';
import { PUBLISH, readPublish } from './publish.ts';
import type { Fault } from './reasons.ts';
import { fault, REASON } from './reasons.ts';
import type { Request } from './requests/index.ts';
import { readRequest } from './requests/index.ts';
import type { Version } from './version.ts';

export type ServerHandler = {
  /** A PUBLISH, before it is read, at `start` to `end` of `bytes`, its topic at `topicAt`; true: it is taken. */
  readonly publish: (bytes: Buffer, start: number, topicAt: number, end: number) => boolean;
  readonly acknowledged: Acknowledged;
  readonly packet: (packet: Publish | Request) => void;
  /** What came is not what a client may send: nothing more will be read from it. */
  readonly broken: (fault: Fault) => void;
};

/** Takes in what a client sends. CONNECT is first, and says in which version the rest is. */
export function createServerFramer(maxBytes: number, handler: ServerHandler): Framer {
  let version: Version | undefined;

  const frame = (bytes: Buffer, start: number, bodyAt: number, end: number): Fault | undefined => {
    const first = bytes[start] ?? 0;
    if (version === undefined) return connect(bytes, first, bodyAt, end);
    if ((first & 0xf0) === PUBLISH) {
      if (handler.publish(bytes, start, bodyAt, end)) return undefined;
      return hand(readPublish(bytes, first, bodyAt, end, version));
    }
    if (isAcknowledgement(first))
      return readAcknowledgement(bytes, first, bodyAt, end, version, handler.acknowledged);
    return hand(readRequest(bytes, first, bodyAt, end, version));
  };

  const connect = (bytes: Buffer, first: number, bodyAt: number, end: number): Fault | undefined => {
    // Its reader finds the version by itself.
    const request = readRequest(bytes, first, bodyAt, end, 4);
    if ('code' in request) return request;
    // [MQTT-3.1.0-1]
    if (request.cmd !== 'connect') return fault(REASON.protocolError, 'it does not begin with CONNECT');
    version = request.version;
    return hand(request);
  };

  const hand = (packet: Publish | Request | Fault): Fault | undefined => {
    if ('code' in packet) return packet;
    // [MQTT-3.3.4-6]
    if (packet.cmd === 'publish' && (packet.properties?.subscriptionIds.length ?? 0) > 0)
      return fault(REASON.protocolError, 'its PUBLISH has a subscription identifier');
    handler.packet(packet);
    return undefined;
  };

  return createFramer(maxBytes, { frame, broken: handler.broken });
}
