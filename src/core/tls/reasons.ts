import { systemCode } from '../errors.ts';

/* Reasons of TLS failures in common terms, with OpenSSL's code. */

const UNTRUSTED = 'the issuer of the certificate is not trusted';

/** Reasons why the certificate of the peer is refused. */
const CERTIFICATE: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the certificate has expired',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet',
  CERT_REVOKED: 'the certificate is revoked',
  CERT_UNTRUSTED: UNTRUSTED,
  CRL_HAS_EXPIRED: 'the certificate revocation list has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed certificate',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another host name',
  INVALID_PURPOSE: 'the certificate is for another purpose',
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_CRL: 'there is no certificate revocation list of the issuer',
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
};

/** Reasons why the handshake has failed. */
const HANDSHAKE: Readonly<Record<string, string>> = {
  ECONNRESET: 'the connection was closed during the handshake',
  ERR_SSL_HTTP_REQUEST: 'the peer uses plain HTTP instead of TLS',
  ERR_SSL_NO_SHARED_CIPHER: 'there is no common cipher',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'no client certificate was sent, and one is required',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the version of TLS is older than 1.2',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the peer does not use TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the peer does not use TLS',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'the handshake took too long',
};

/**
 * Reasons for the alerts with which the peer ended the handshake (RFC 8446, section 6.2). Each reason belongs
 * to the codes of OpenSSL that end with `end`.
 */
const ALERTS: readonly (readonly [end: string, words: string])[] = [
  ['CERTIFICATE_REQUIRED', 'the peer requires a client certificate'],
  ['CERTIFICATE_EXPIRED', 'the peer says that the certificate has expired'],
  ['CERTIFICATE_REVOKED', 'the peer says that the certificate is revoked'],
  ['CERTIFICATE_UNKNOWN', 'the peer refused the certificate'],
  ['BAD_CERTIFICATE', 'the peer refused the certificate'],
  ['UNKNOWN_CA', 'the peer does not trust the issuer of the certificate'],
  ['HANDSHAKE_FAILURE', 'the peer found no common parameters'],
  ['PROTOCOL_VERSION', 'the peer does not speak this version of TLS'],
  ['UNRECOGNIZED_NAME', 'the peer does not know this host name'],
  ['NO_APPLICATION_PROTOCOL', 'the peer does not speak the protocol of "tls.alpn"'],
  ['ACCESS_DENIED', 'the peer denied access'],
];

/**
 * Returns the reason why a certificate was refused, such as `self-signed certificate
 * (DEPTH_ZERO_SELF_SIGNED_CERT)`. `code` is OpenSSL's code. Undefined for an unknown code.
 */
export function certificateReason(code: string): string | undefined {
  const words = CERTIFICATE[code];
  return words === undefined ? undefined : `${words} (${code})`;
}

/** Returns the reason of a TLS failure with OpenSSL's code. Undefined if `thrown` is not a TLS error. */
export function tlsReason(thrown: unknown): string | undefined {
  const code = systemCode(thrown) ?? '';
  const known = certificateReason(code);
  if (known !== undefined) return known;
  if (!code.startsWith('ERR_SSL_') && !code.startsWith('ERR_TLS_')) return undefined;
  const alert = ALERTS.find(([end]) => code.endsWith(end) && code.includes('ALERT'))?.[1];
  return `${HANDSHAKE[code] ?? alert ?? libraryReason(thrown)} (${code})`;
}

/**
 * Returns the reason why a handshake failed on the server side, such as a TLS failure or a closed connection.
 */
export function handshakeReason(thrown: unknown): string | undefined {
  const code = systemCode(thrown) ?? '';
  return tlsReason(thrown) ?? (code === 'ECONNRESET' ? `${HANDSHAKE[code]} (${code})` : undefined);
}

/** Returns OpenSSL's own text, without function, file and line. */
function libraryReason(thrown: unknown): string {
  if (thrown instanceof Error && 'reason' in thrown && typeof thrown.reason === 'string')
    return thrown.reason;
  return 'the handshake failed';
}
