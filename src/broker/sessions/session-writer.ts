import type { OnDurable } from '../../core/message.ts';
import { LARGE_SESSION_BYTES } from '../limits.ts';
import type { SessionStore } from '../types.ts';
import type { Session } from './session.ts';
import { storedForm } from './session.ts';

/**
 * Writes sessions to the store. If a large session changes several times while it is being written, one
 * further write contains all these changes.
 */
export type SessionWriter = {
  /** Stores the session. Calls `done` when the current state, or a later state, is on disk. */
  readonly save: (session: Session, done: OnDurable) => void;
  /**
   * Called when a session has been deleted. Cancels the next write of the session, and calls the callbacks
   * that wait for this write.
   */
  readonly cancel: (session: Session) => void;
};

export function createSessionWriter({ save }: Pick<SessionStore, 'save'>): SessionWriter {
  /**
   * Large sessions that are being written. The value lists the callbacks that wait for the next write of the
   * session.
   */
  const waiting = new Map<Session, OnDurable[]>();

  const write = (session: Session, callers: readonly OnDurable[]): void => {
    waiting.set(session, []);
    save(storedForm(session), error => {
      const next = waiting.get(session);
      waiting.delete(session);
      if (next !== undefined && next.length > 0) write(session, next);
      for (const done of callers) done(error);
    });
  };

  return {
    save: (session, done) => {
      const next = waiting.get(session);
      if (session.subscriptionBytes < LARGE_SESSION_BYTES) save(storedForm(session), done);
      else if (next === undefined) write(session, [done]);
      else next.push(done);
    },
    cancel: session => {
      const next = waiting.get(session) ?? [];
      waiting.delete(session);
      for (const done of next) done();
    },
  };
}
