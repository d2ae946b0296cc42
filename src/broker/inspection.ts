import { protocolError, REASON } from '../mqtt/reasons.ts';
import type { Session } from './sessions/session.ts';
import type { Sessions } from './sessions/sessions.ts';

/** Sessions and connections of a broker, for an operator to list and end. */
export type Inspection = {
  readonly sessions: () => readonly Session[];
  /** Closes the connection of a session, if it has one. */
  readonly kick: (session: Session) => void;
  /** Ends a session with its connection and its queue. Calls `done` when that is on disk. */
  readonly drop: (session: Session, done: (error?: Error) => void) => void;
};

const KICKED = protocolError(REASON.administrativeAction, 'an operator ended the connection');

export function inspectionOf(sessions: Sessions): Inspection {
  const kick = ({ connection }: Session): void => connection?.close(KICKED);
  return {
    sessions: () => Array.from(sessions.all()),
    kick,
    drop: (session, done) => {
      kick(session);
      // A session that is not persistent has ended with its connection.
      if (sessions.byId(session.id) === session) sessions.discard(session, done);
      else done();
    },
  };
}
