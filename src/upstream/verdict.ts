import { REASON } from '../mqtt/reasons.ts';

/**
 * What a reason code means for the message that it answers. `rest`: nothing is wrong with it, the upstream takes no more
 * for now. `again`: it failed this time, and may be sent again some times. `never`: it will not be taken.
 */
export type Verdict = 'taken' | 'rest' | 'again' | 'never';

/** Those of packets that MQTT lists them for, and those that a server says of itself, for whatever packet it does. */
const VERDICTS: ReadonlyMap<number, Verdict> = new Map<number, Verdict>([
  [REASON.quotaExceeded, 'rest'],
  [REASON.packetIdentifierInUse, 'rest'],
  [REASON.serverUnavailable, 'rest'],
  [REASON.serverBusy, 'rest'],
  [REASON.serverShuttingDown, 'rest'],
  [REASON.receiveMaximumExceeded, 'rest'],
  [REASON.messageRateTooHigh, 'rest'],
  [REASON.notAuthorized, 'never'],
  [REASON.topicNameInvalid, 'never'],
  [REASON.packetTooLarge, 'never'],
  [REASON.payloadFormatInvalid, 'never'],
  [REASON.retainNotSupported, 'never'],
]);

/** A failure that says nothing certain of the message may be over the next time. */
export function verdictOf(reasonCode: number): Verdict {
  return reasonCode < REASON.unspecifiedError ? 'taken' : (VERDICTS.get(reasonCode) ?? 'again');
}

/** Reason codes of a server's DISCONNECT that blame a packet it was sent; "not allowed" may be said of the client. */
const BLAMES_PACKET: ReadonlySet<number> = new Set<number>([
  REASON.malformedPacket,
  REASON.protocolError,
  REASON.topicNameInvalid,
  REASON.packetTooLarge,
  REASON.payloadFormatInvalid,
  REASON.retainNotSupported,
]);

/** Those that say why the server goes or the client must, whatever it sent. */
const SPARES_PACKET: ReadonlySet<number> = new Set<number>([
  REASON.serverBusy,
  REASON.serverShuttingDown,
  REASON.keepAliveTimeout,
  REASON.sessionTakenOver,
  REASON.administrativeAction,
  REASON.useAnotherServer,
  REASON.serverMoved,
  REASON.connectionRateExceeded,
  REASON.maximumConnectTime,
]);

/** Why a server ended a link that said so with this reason code. */
export function causeOf(reasonCode: number): 'ended' | 'blamed' | 'qos' | 'lost' {
  if (reasonCode === REASON.qosNotSupported) return 'qos';
  if (SPARES_PACKET.has(reasonCode)) return 'lost';
  return BLAMES_PACKET.has(reasonCode) ? 'blamed' : 'ended';
}
