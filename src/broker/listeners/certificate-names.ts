import type { TLSSocket } from 'node:tls';

/** One entry of a subject's alternative names as Node writes them: `DNS:a.b`, or quoted if it holds a comma. */
const ENTRY = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/y;

const NAMES: readonly string[] = ['DNS', 'email'];

/**
 * The names in a client's certificate: the common name of its subject, and its DNS and e-mail names (RFC 5280,
 * 4.2.1.6). Undefined if it showed none, or one that the listener's CA does not vouch for.
 */
export function certificateNames(socket: TLSSocket): readonly string[] | undefined {
  if (!socket.authorized) return undefined;
  const { subject, subjectaltname } = socket.getPeerCertificate();
  const common: unknown = subject?.CN;
  const commonNames = (Array.isArray(common) ? common : [common]).filter(name => typeof name === 'string');
  return [...commonNames, ...alternativeNames(subjectaltname ?? '')];
}

/** What is quoted is left out: no such name needs it, and it may hold what looks like another entry. */
export function alternativeNames(text: string, kinds = NAMES): string[] {
  const names: string[] = [];
  ENTRY.lastIndex = 0;
  for (let entry = ENTRY.exec(text); entry !== null && entry[0] !== ''; entry = ENTRY.exec(text)) {
    const [, kind = '', name = ''] = entry;
    if (kinds.includes(kind) && name !== '' && !name.startsWith('"')) names.push(name);
  }
  return names;
}
