import type { Clock } from '../../core/clock.ts';
import { Failure, reasonOf, systemCode } from '../../core/errors.ts';
import { MIN_PLAUSIBLE_TIME_MS } from '../../core/limits.ts';
import { tlsReason } from '../../core/tls/reasons.ts';
import type { UpstreamAddress } from '../../manifest/types.ts';
import { REASON } from '../../mqtt/reasons.ts';
import { addressText } from '../addresses.ts';

/* Error texts of connections to MQTT servers. */

/** Advice in the error text for a certificate whose CA is unknown. */
const TRUST = 'trust its CA with "tls.ca" (pub and sub: --cafile)';

/** Texts of network errors by system code. */
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

/** Advice in the error text for a certificate error, by error code. */
const CERTIFICATE_HINTS: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: TRUST,
  UNABLE_TO_GET_ISSUER_CERT: TRUST,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: TRUST,
  SELF_SIGNED_CERT_IN_CHAIN: TRUST,
  DEPTH_ZERO_SELF_SIGNED_CERT: 'trust it with "tls.ca" or "tls.fingerprint" (pub and sub: --cafile)',
  ERR_TLS_CERT_ALTNAME_INVALID: 'set "tls.serverName" if it is the right one (pub and sub: --insecure)',
};

/** Codes of certificate errors that a wrong clock of this machine can cause. */
const PERIOD = ['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED'];

/** Returns the reason why a connection failed or ended, with the error code and advice. */
export function troubleOf(thrown: unknown, clock: Pick<Clock, 'wall'>): string {
  // If a host name has several addresses, Node reports an AggregateError without a message. The reason is
  // then in the error of the first address.
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

function clockText(now: number): string {
  const day = new Date(now).toISOString().slice(0, 10);
  if (now >= MIN_PLAUSIBLE_TIME_MS) return `by this machine's clock (${day})`;
  return `but this machine's clock is not set (${day}): set the clock to check certificates`;
}

/** Returns the Failure for a connection whose settings or files are invalid. */
export function unreachable(place: UpstreamAddress, thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  return new Failure(
    'upstream.unreachable',
    `The connection to ${addressText(place)} failed: ${String(thrown)}.`,
  );
}

/** Returns the Failure for a server that supports only QoS 0. */
export function takesNothing(place: UpstreamAddress): Failure {
  const sentence = 'supports QoS 0 only, which does not guarantee delivery. Use a server with QoS 1.';
  return new Failure('upstream.refused', `${addressText(place)} ${sentence}`);
}

/** Texts of MQTT 5 reason codes. Each text completes a sentence such as "The server disconnected: ...". */
const REASONS: ReadonlyMap<number, string> = new Map<number, string>([
  [REASON.success, 'no reason given'],
  [REASON.unspecifiedError, 'unspecified error'],
  [REASON.malformedPacket, 'malformed packet'],
  [REASON.protocolError, 'protocol error'],
  [REASON.implementationSpecificError, 'implementation specific error'],
  [REASON.clientIdentifierNotValid, 'client identifier not valid'],
  [REASON.badUserNameOrPassword, 'wrong or missing user name or password'],
  [REASON.notAuthorized, 'not authorized'],
  [REASON.serverUnavailable, 'server unavailable'],
  [REASON.serverBusy, 'server busy'],
  [REASON.banned, 'banned'],
  [REASON.serverShuttingDown, 'server shutting down'],
  [REASON.badAuthenticationMethod, 'unsupported authentication method'],
  [REASON.keepAliveTimeout, 'keep-alive timeout'],
  [REASON.sessionTakenOver, 'session taken over by another client with the same client identifier'],
  [REASON.topicFilterInvalid, 'topic filter not allowed'],
  [REASON.topicNameInvalid, 'topic name not allowed'],
  [REASON.packetIdentifierInUse, 'packet identifier in use'],
  [REASON.receiveMaximumExceeded, 'Receive Maximum exceeded'],
  [REASON.packetTooLarge, 'packet too large'],
  [REASON.messageRateTooHigh, 'message rate too high'],
  [REASON.quotaExceeded, 'quota exceeded'],
  [REASON.administrativeAction, 'administrative action'],
  [REASON.payloadFormatInvalid, 'payload format invalid'],
  [REASON.retainNotSupported, 'retained messages not supported'],
  [REASON.qosNotSupported, 'QoS not supported'],
  [REASON.useAnotherServer, 'use another server'],
  [REASON.serverMoved, 'server moved to another address'],
  [REASON.connectionRateExceeded, 'connection rate exceeded'],
  [REASON.maximumConnectTime, 'maximum connect time exceeded'],
]);

/** Maximum characters of a server's reason string in a log line or error text. */
const MAX_REASON_LENGTH = 200;

/** Returns the text of an MQTT 5 reason code and the server's reason string. */
export function reasonText(code: number, reasonString: string | undefined): string {
  const text = REASONS.get(code) ?? `reason code ${code}`;
  return reasonString === undefined || reasonString === ''
    ? text
    : `${text} ("${printable(reasonString.slice(0, MAX_REASON_LENGTH))}")`;
}

/**
 * Keeps letters, digits, punctuation, symbols and spaces. Replaces every other character by `?`. Otherwise a
 * server could put control sequences for terminals and line breaks into the log.
 */
function printable(reasonString: string): string {
  return reasonString.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?');
}

/** Returns the text for the reason code of a CONNACK that refuses the connection. */
export function refusalText(code: number, reasonString: string | undefined, version: 4 | 5): string {
  if (code === REASON.unsupportedProtocolVersion)
    return `the server does not support MQTT ${version === 5 ? '5' : '3.1.1'}`;
  // For a wrong password, some MQTT 3.1.1 servers send the code for "not authorized" instead of the code for
  // a wrong password.
  if (code === REASON.notAuthorized) return reasonText(REASON.badUserNameOrPassword, reasonString);
  return reasonText(code, reasonString);
}
