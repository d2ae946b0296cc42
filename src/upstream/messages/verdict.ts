import { REASON } from '../../mqtt/reasons.ts';

/**
 * Consequence of a reason code for the acknowledged message. `taken`: the server has accepted the message.
 * `rest`: the message is valid, but the server temporarily accepts no messages. `again`: the message failed
 * and is retried a limited number of times. `never`: the server will never accept the message.
 */
export type Verdict = 'taken' | 'rest' | 'again' | 'never';

/**
 * Verdicts by reason code. Includes codes that are defined only for DISCONNECT, such as server busy, because
 * some servers send these codes in acknowledgements.
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

/** Returns the verdict of a reason code. An error that is not in the table is retried. */
export function verdictOf(reasonCode: number): Verdict {
  return reasonCode < REASON.unspecifiedError ? 'taken' : (VERDICTS.get(reasonCode) ?? 'again');
}

/**
 * Reason codes of a DISCONNECT whose cause is a packet of the hub. Excludes "not authorized", because the
 * server possibly refuses the client and not the packet.
 */
const PACKET_CODES: ReadonlySet<number> = new Set<number>([
  REASON.malformedPacket,
  REASON.protocolError,
  REASON.topicNameInvalid,
  REASON.packetTooLarge,
  REASON.payloadFormatInvalid,
  REASON.retainNotSupported,
]);

/** Reason codes of a DISCONNECT whose cause is the server or the connection, not a packet of the hub. */
const UNRELATED_CODES: ReadonlySet<number> = new Set<number>([
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

/** Returns the cause of a link's end for the reason code of the server's DISCONNECT. */
export function causeOf(reasonCode: number): 'ended' | 'blamed' | 'qos' | 'lost' {
  if (reasonCode === REASON.qosNotSupported) return 'qos';
  if (UNRELATED_CODES.has(reasonCode)) return 'lost';
  return PACKET_CODES.has(reasonCode) ? 'blamed' : 'ended';
}
