/**
 * One message in so many has a topic of its own, as long as that of the others: who reads those alone sees how far the
 * upstream is, and takes none of the time that it has.
 */
export const STEP = 1_000;
export const MARK = 'bench/marks';

export function isMark(index: number): boolean {
  return index % STEP === STEP - 1;
}
