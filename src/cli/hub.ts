import { conclude as end } from './conclude.ts';
import { run } from './up.ts';

/** The program of `up`. */
export function conclude(args: readonly string[]): void {
  end(run(args));
}
