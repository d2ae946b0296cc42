/**
 * Number of messages per mark. Every STEPth message is a mark: it has its own topic of the same length, so
 * that a subscriber to the marks sees the progress without loading the server.
 */
export const STEP = 1_000;

/** Topic of a mark. */
export const MARK = 'bench/marks';

export function isMark(index: number): boolean {
  return index % STEP === STEP - 1;
}
