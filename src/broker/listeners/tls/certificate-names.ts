import type { TLSSocket } from 'node:tls';

/**
 * Matches one entry of the subject alternative names in Node's text format, such as `DNS:a.b`. The value is
 * quoted if it contains a comma.
 */
const ENTRY = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/y;

/** Kinds of subject alternative names that are accepted as the name of a user. */
const NAME_KINDS: readonly string[] = ['DNS', 'email'];

/**
 * Returns the names in a client certificate: the common name of the subject, and the DNS and e-mail names
 * (RFC 5280, 4.2.1.6). Undefined if the client has no certificate that a CA of the listener has signed.
 */
export function certificateNames(socket: TLSSocket): readonly string[] | undefined {
  if (!socket.authorized) return undefined;
  const { subject, subjectaltname } = socket.getPeerCertificate();
  const common: unknown = subject?.CN;
  const commonNames = (Array.isArray(common) ? common : [common]).filter(name => typeof name === 'string');
  return [...commonNames, ...alternativeNames(subjectaltname ?? '')];
}

/**
 * Returns the subject alternative names of the given kinds. Skips quoted entries, because no valid name needs
 * quotes, and a quoted name could contain the text of another entry.
 */
export function alternativeNames(text: string, kinds = NAME_KINDS): string[] {
  const names: string[] = [];
  ENTRY.lastIndex = 0;
  for (let entry = ENTRY.exec(text); entry !== null && entry[0] !== ''; entry = ENTRY.exec(text)) {
    const [, kind = '', name = ''] = entry;
    if (kinds.includes(kind) && name !== '' && !name.startsWith('"')) names.push(name);
  }
  return names;
}
