import type { LogFields } from '../../core/log.ts';
import type { Connection } from './connection.ts';

/**
 * Returns the log fields of a client: its identity, or the client identifier and user name of a CONNECT that
 * is not accepted yet.
 */
export function peerFields({ session, claimed, peer }: Connection): LogFields {
  const { address } = peer;
  if (session === undefined) return { ...claimed, address };
  const { clientId: client, identity } = session;
  return identity.kind === 'module'
    ? { client, module: identity.module, address }
    : { client, user: identity.user, address };
}
