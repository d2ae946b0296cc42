import type { Clock } from '../core/clock.ts';
import { reasonOf, systemCode } from '../core/errors.ts';
import { LEAST_PLAUSIBLE_TIME } from '../core/upstream-limits.ts';
import { REASON } from '../mqtt/reasons.ts';

/* What goes wrong on the way to a server, in words. */

const NETWORK: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up now',
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'it was cut off from there',
  EPIPE: 'it was cut off from there',
  EHOSTUNREACH: 'no way leads there',
  ENETUNREACH: 'no way leads there',
  ENETDOWN: 'the network is down',
  ETIMEDOUT: 'no answer in time',
};

const CERTIFICATE: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'nobody this machine trusts vouches for its certificate: see "tls.ca"',
  UNABLE_TO_GET_ISSUER_CERT: 'nobody this machine trusts vouches for its certificate: see "tls.ca"',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'nobody this machine trusts vouches for its certificate: see "tls.ca"',
  SELF_SIGNED_CERT_IN_CHAIN: 'nobody this machine trusts vouches for its certificate: see "tls.ca"',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'its certificate vouches for itself: see "tls.ca" and "tls.fingerprint" of the upstream',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name: see "tls.serverName"',
  CERT_REVOKED: 'its certificate is revoked',
};

/** Certificates say from when to when they are good, and are held to this machine's clock. */
const TIMES: Readonly<Record<string, string>> = {
  CERT_NOT_YET_VALID: 'its certificate is not good yet',
  CERT_HAS_EXPIRED: 'its certificate has expired',
};

/** Why a connection could not be made, or ended. */
export function troubleOf(thrown: unknown, clock: Pick<Clock, 'wall'>): string {
  // A name with several addresses fails with a list, which says nothing itself.
  const first = thrown instanceof AggregateError ? thrown.errors[0] : thrown;
  const code = systemCode(first) ?? '';
  const time = TIMES[code];
  if (time !== undefined) return `${time}, ${clockText(clock.wall())}`;
  return NETWORK[code] ?? CERTIFICATE[code] ?? reasonOf(first);
}

function clockText(wall: number): string {
  const day = new Date(wall).toISOString().slice(0, 10);
  if (wall >= LEAST_PLAUSIBLE_TIME) return `by this machine's clock, which says ${day}`;
  return `but this machine's clock says ${day} and is not set: set it, certificates cannot be checked before`;
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

/** Characters of a server's own words that are shown. */
const MAX_WORDS = 200;

/** A reason code of MQTT 5, with the server's own words if it has any. */
export function reasonText(code: number, words: string | undefined): string {
  const text = REASONS.get(code) ?? `reason code ${code}`;
  return words === undefined || words === '' ? text : `${text} ("${printable(words.slice(0, MAX_WORDS))}")`;
}

/** Letters, digits, punctuation and symbols alone: nothing that a terminal or a log acts on. */
function printable(words: string): string {
  return words.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?');
}

/** Why a server does not take a client in. */
export function refusalText(code: number, words: string | undefined, version: 4 | 5): string {
  if (code === REASON.unsupportedProtocolVersion)
    return `it does not speak MQTT ${version === 5 ? '5' : '3.1.1'}`;
  // Before MQTT 5 both are said of a wrong password.
  if (code === REASON.notAuthorized) return reasonText(REASON.badUserNameOrPassword, words);
  return reasonText(code, words);
}
