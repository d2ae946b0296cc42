import { protocolError, REASON } from '../mqtt/reasons.ts';
import type { Session } from './sessions/session.ts';
import type { Sessions } from './sessions/sessions.ts';

/** Operator commands: list sessions, close a connection, delete a session. */
export type Inspection = {
  readonly sessions: () => readonly Session[];
  /** Closes the connection of a session, if the client is connected. */
  readonly kick: (session: Session) => void;
  /**
   * Closes the connection of a session, and deletes the session. Calls `done` when the deletion is on disk.
   */
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
      // If the session is not persistent, closing its connection has already deleted the session.
      if (sessions.byId(session.id) === session) sessions.discard(session, done);
      else done();
    },
  };
}
