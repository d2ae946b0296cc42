import { argumentsOf } from './arguments.ts';
import { write } from './edge.ts';
import { manPage } from './reference/man-page.ts';
import { MAN } from './reference/program.ts';

/** Prints the man page. */
export async function run(args: readonly string[]): Promise<number> {
  argumentsOf(MAN, args);
  write(manPage());
  return 0;
}
