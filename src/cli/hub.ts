import { conclude as end, perform } from './conclude.ts';
import * as up from './up.ts';

/** The program of `up`. */
export function conclude(args: readonly string[]): void {
  end(perform(up, args));
}
