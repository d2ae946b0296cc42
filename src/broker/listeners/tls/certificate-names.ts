import type { TLSSocket } from 'node:tls';

/** Entry of the subject alternative names in Node's form: `DNS:a.b`, or quoted if it contains a comma. */
const ENTRY = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/y;

const NAMES: readonly string[] = ['DNS', 'email'];

/**
 * Names in a client certificate: the subject's common name, and its DNS and e-mail names (RFC 5280, 4.2.1.6).
 * Undefined if the client has none that the listener's CA has signed.
 */
export function certificateNames(socket: TLSSocket): readonly string[] | undefined {
  if (!socket.authorized) return undefined;
  const { subject, subjectaltname } = socket.getPeerCertificate();
  const common: unknown = subject?.CN;
  const commonNames = (Array.isArray(common) ? common : [common]).filter(name => typeof name === 'string');
  return [...commonNames, ...alternativeNames(subjectaltname ?? '')];
}

/** Skips quoted entries: no valid name needs quotes, and a quoted one could imitate another entry. */
export function alternativeNames(text: string, kinds = NAMES): string[] {
  const names: string[] = [];
  ENTRY.lastIndex = 0;
  for (let entry = ENTRY.exec(text); entry !== null && entry[0] !== ''; entry = ENTRY.exec(text)) {
    const [, kind = '', name = ''] = entry;
    if (kinds.includes(kind) && name !== '' && !name.startsWith('"')) names.push(name);
  }
  return names;
}
