import type { Session } from '../sessions/session.ts';
import type { SessionStore } from '../types.ts';
import type { Source } from './delivery.ts';

type Sent = { readonly source: Source | undefined; readonly sequence: number };

/**
 * Ends what is on its way to a session whose connection is gone. Messages that others may get are given back; for the
 * rest it is noted that they were sent, because after a restart of the hub the queue does not know [MQTT-3.3.1-1].
 */
export function endFlights(flights: Iterable<Sent>, session: Session, store: SessionStore): void {
  let sent = session.sentUpTo;
  for (const { source, sequence } of flights) {
    if (source?.giveBack !== undefined) source.giveBack({ sequence });
    else if (source !== undefined) sent = Math.max(sent, sequence);
  }
  if (sent === session.sentUpTo) return;
  session.sentUpTo = sent;
  if (session.persistent) store.keepSent(session.id, sent);
}
