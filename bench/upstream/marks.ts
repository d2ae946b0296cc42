/**
 * Every STEPth message has its own topic of the same length, so that a reader of these alone sees the
 * progress without loading the server.
 */
export const STEP = 1_000;
export const MARK = 'bench/marks';

export function isMark(index: number): boolean {
  return index % STEP === STEP - 1;
}
