import { REASON } from '../../mqtt/reasons.ts';

/**
 * Meaning of a reason code for its message. `rest`: the message is fine, but the upstream accepts no more for
 * now. `again`: it failed and may be retried some times. `never`: it will not be accepted.
 */
export type Verdict = 'taken' | 'rest' | 'again' | 'never';

/**
 * Verdicts by reason code: the codes of acknowledgements, and codes about the server itself in any packet.
 */
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

/** Verdict of a reason code. An unspecific failure may be over at the next attempt. */
export function verdictOf(reasonCode: number): Verdict {
  return reasonCode < REASON.unspecifiedError ? 'taken' : (VERDICTS.get(reasonCode) ?? 'again');
}

/**
 * Reason codes of a DISCONNECT that are caused by a received packet. "Not authorized" may concern the client.
 */
const BLAMES_PACKET: ReadonlySet<number> = new Set<number>([
  REASON.malformedPacket,
  REASON.protocolError,
  REASON.topicNameInvalid,
  REASON.packetTooLarge,
  REASON.payloadFormatInvalid,
  REASON.retainNotSupported,
]);

/** Reason codes of a DISCONNECT that are independent of the received packets. */
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

/** Cause of a link's end by the reason code of the server's DISCONNECT. */
export function causeOf(reasonCode: number): 'ended' | 'blamed' | 'qos' | 'lost' {
  if (reasonCode === REASON.qosNotSupported) return 'qos';
  if (SPARES_PACKET.has(reasonCode)) return 'lost';
  return BLAMES_PACKET.has(reasonCode) ? 'blamed' : 'ended';
}
