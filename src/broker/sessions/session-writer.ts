import type { OnDurable } from '../../core/message.ts';
import { LARGE_SESSION_BYTES } from '../limits.ts';
import type { SessionStore } from '../types.ts';
import type { Session } from './session.ts';
import { storedForm } from './session.ts';

/** Writes sessions to the store. Changes of a large session during its write are written together. */
export type SessionWriter = {
  /** Stores the session. Calls `done` when its current or a later state is on disk. */
  readonly save: (session: Session, done: OnDurable) => void;
  /** Called when the session has ended: discards pending writes. */
  readonly forget: (session: Session) => void;
};

export function createSessionWriter({ save }: Pick<SessionStore, 'save'>): SessionWriter {
  /** Callbacks that wait for the next write, by the session that is being written. */
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
    forget: session => {
      const next = waiting.get(session) ?? [];
      waiting.delete(session);
      for (const done of next) done();
    },
  };
}
