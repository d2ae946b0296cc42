import type { Clock } from '../../core/clock.ts';
import { Failure, reasonOf, systemCode } from '../../core/errors.ts';
import { MIN_PLAUSIBLE_TIME_MS } from '../../core/limits.ts';
import { tlsReason } from '../../core/tls/reasons.ts';
import type { UpstreamAddress } from '../../manifest/types.ts';
import { REASON } from '../../mqtt/reasons.ts';
import { addressText } from '../addresses.ts';

/*
 * Error texts of connections to servers.
 */

const TRUST = 'trust its CA with "tls.ca" (pub and sub: --cafile)';

const NETWORK: Readonly<Record<string, string>> = {
  ENOTFOUND: 'host name not found (ENOTFOUND)',
  EAI_AGAIN: 'temporary failure in name resolution (EAI_AGAIN)',
  ECONNREFUSED: 'connection refused (ECONNREFUSED)',
  ECONNRESET: 'connection reset by peer (ECONNRESET)',
  EPIPE: 'connection closed by peer (EPIPE)',
  EHOSTUNREACH: 'no route to host (EHOSTUNREACH)',
  ENETUNREACH: 'network is unreachable (ENETUNREACH)',
  ENETDOWN: 'network is down (ENETDOWN)',
  ETIMEDOUT: 'connection timed out (ETIMEDOUT)',
};

/** Hint for each certificate error. */
const CERTIFICATE_HINTS: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: TRUST,
  UNABLE_TO_GET_ISSUER_CERT: TRUST,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: TRUST,
  SELF_SIGNED_CERT_IN_CHAIN: TRUST,
  DEPTH_ZERO_SELF_SIGNED_CERT: 'trust it with "tls.ca" or "tls.fingerprint" (pub and sub: --cafile)',
  ERR_TLS_CERT_ALTNAME_INVALID: 'set "tls.serverName" if it is the right one (pub and sub: --insecure)',
};

/** Errors of the validity period, which depend on this machine's clock. */
const PERIOD = ['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED'];

/** Reason why a connection failed or ended. */
export function troubleOf(thrown: unknown, clock: Pick<Clock, 'wall'>): string {
  // A host name with several addresses fails with an AggregateError, which has no message of its own.
  const first = thrown instanceof AggregateError ? thrown.errors[0] : thrown;
  const code = systemCode(first) ?? '';
  const reason = NETWORK[code] ?? tlsReason(first) ?? oneLine(reasonOf(first));
  if (PERIOD.includes(code)) return `${reason}, ${clockText(clock.wall())}`;
  const hint = CERTIFICATE_HINTS[code];
  return hint === undefined ? reason : `${reason}: ${hint}`;
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, ' ');
}

function clockText(wall: number): string {
  const day = new Date(wall).toISOString().slice(0, 10);
  if (wall >= MIN_PLAUSIBLE_TIME_MS) return `by this machine's clock, which says ${day}`;
  return `but this machine's clock says ${day} and is not set: set it, certificates cannot be checked before`;
}

/** Failure of a connection that could not be attempted. */
export function unreachable(place: UpstreamAddress, thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  return new Failure(
    'upstream.unreachable',
    `The connection to ${addressText(place)} failed: ${String(thrown)}.`,
  );
}

/** Failure of a server that supports only QoS 0. */
export function takesNothing(place: UpstreamAddress): Failure {
  const sentence = 'takes messages at QoS 0 only: none would be sure to arrive.';
  return new Failure('upstream.refused', `${addressText(place)} ${sentence}`);
}

const REASONS: ReadonlyMap<number, string> = new Map<number, string>([
  [REASON.success, 'without a reason'],
  [REASON.unspecifiedError, 'for a reason that it does not tell'],
  [REASON.malformedPacket, 'it could not read a packet'],
  [REASON.protocolError, 'it takes a packet for a breach of the protocol'],
  [REASON.implementationSpecificError, 'for a reason of its own'],
  [REASON.clientIdentifierNotValid, 'it does not take the client identifier'],
  [REASON.badUserNameOrPassword, 'user name or password are wrong or missing'],
  [REASON.notAuthorized, 'not allowed'],
  [REASON.serverUnavailable, 'it is not available'],
  [REASON.serverBusy, 'it is busy'],
  [REASON.banned, 'this client is banned'],
  [REASON.serverShuttingDown, 'it is shutting down'],
  [REASON.badAuthenticationMethod, 'it wants another way of authentication'],
  [REASON.keepAliveTimeout, 'it heard nothing in time'],
  [REASON.sessionTakenOver, 'another client came with the same client identifier'],
  [REASON.topicFilterInvalid, 'it does not take a topic filter'],
  [REASON.topicNameInvalid, 'it does not take the topic'],
  [REASON.packetIdentifierInUse, 'the packet identifier is in use'],
  [REASON.receiveMaximumExceeded, 'it got more messages at once than it takes'],
  [REASON.packetTooLarge, 'a packet was larger than it takes'],
  [REASON.messageRateTooHigh, 'messages came too fast'],
  [REASON.quotaExceeded, 'a quota is used up'],
  [REASON.administrativeAction, 'somebody there ended it'],
  [REASON.payloadFormatInvalid, 'the body is not what it says to be'],
  [REASON.retainNotSupported, 'it keeps no retained messages'],
  [REASON.qosNotSupported, 'it does not offer the quality of service'],
  [REASON.useAnotherServer, 'another server is to be used for now'],
  [REASON.serverMoved, 'it has moved to another address'],
  [REASON.connectionRateExceeded, 'too many connections were made'],
  [REASON.maximumConnectTime, 'the longest time of a connection is over'],
]);

/** Maximum characters of a server's reason string in messages. */
const MAX_WORDS = 200;

/** Text of an MQTT 5 reason code, with the server's reason string. */
export function reasonText(code: number, words: string | undefined): string {
  const text = REASONS.get(code) ?? `reason code ${code}`;
  return words === undefined || words === '' ? text : `${text} ("${printable(words.slice(0, MAX_WORDS))}")`;
}

/**
 * Removes everything except letters, digits, punctuation and symbols, so that the text cannot control a
 * terminal or a log.
 */
function printable(words: string): string {
  return words.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?');
}

/** Text of a refused CONNECT. */
export function refusalText(code: number, words: string | undefined, version: 4 | 5): string {
  if (code === REASON.unsupportedProtocolVersion)
    return `it does not speak MQTT ${version === 5 ? '5' : '3.1.1'}`;
  // Before MQTT 5, both codes are used for a wrong password.
  if (code === REASON.notAuthorized) return reasonText(REASON.badUserNameOrPassword, words);
  return reasonText(code, words);
}
