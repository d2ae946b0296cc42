import { publishWill, removeWill } from '../sessions/wills.ts';
import type { Connection } from './connection.ts';

/**
 * Detaches a closed connection from its session. Publishes the will if there is one. Ends the session, or
 * starts its expiry.
 */
export function leaveSession(connection: Connection): void {
  const { session, will, context } = connection;
  if (session === undefined || session.connection !== connection) return;
  session.connection = undefined;
  context.host.shares.connections.add(session.holder, -1);
  if (session.identity.kind === 'client') connection.listener.clients--;
  session.delivery?.stop();
  session.delivery = undefined;
  if (will !== undefined) publishWill(context, session, will);
  else removeWill(context, session);
  context.sessions.connectionClosed(session);
}
