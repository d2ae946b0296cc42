import type { OnDurable } from '../../core/message.ts';
import { LARGE_SESSION_BYTES } from '../limits.ts';
import type { SessionStore } from '../types.ts';
import type { Session } from './session.ts';
import { storedForm } from './session.ts';

/** Writes sessions to the store. A large one is written once at a time: changes that come meanwhile are written together. */
export type SessionWriter = {
  /** `done` once the session is on disk as it is now, or later. */
  readonly save: (session: Session, done: OnDurable) => void;
  /** The session has ended: what waits to be written of it is not. */
  readonly forget: (session: Session) => void;
};

export function createSessionWriter({ save }: Pick<SessionStore, 'save'>): SessionWriter {
  /** Callers that wait for the next write, by session that is being written. */
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
