import { Failure, reasonOf } from '../core/errors.ts';

export const CLOSED = new Failure('store.write', 'The store is closed: the hub is stopping.');

export function damagedPage(thrown: unknown): Failure {
  const reason = reasonOf(thrown);
  return new Failure(
    'store.damaged',
    `A page of the store is damaged (${reason}): restart the hub, which then moves the damaged store away.`,
  );
}

export function unknownEntry(queue: string, sequence: number): Failure {
  const sentence = `The queue "${queue}" has no message ${sequence}: see "skerry queue peek ${queue}".`;
  return new Failure('entry.unknown', sentence);
}
