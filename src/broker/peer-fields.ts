import type { LogFields } from '../core/log.ts';
import type { Connection } from './connection.ts';

/** The client of a connection as the log names it: by its identity, or by what an unaccepted CONNECT claims. */
export function peerFields({ session, claimed, peer }: Connection): LogFields {
  const { address } = peer;
  if (session === undefined) return { ...claimed, address };
  const { clientId: client, identity } = session;
  return identity.kind === 'module'
    ? { client, module: identity.module, address }
    : { client, user: identity.user, address };
}
