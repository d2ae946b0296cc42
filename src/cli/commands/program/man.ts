import { argumentsOf } from '../../arguments.ts';
import { manPage } from '../../reference/formats/man-page.ts';
import { MAN } from '../../reference/program.ts';
import { write } from '../../system.ts';

/** Prints the man page. */
export async function run(args: readonly string[]): Promise<number> {
  argumentsOf(MAN, args);
  write(manPage());
  return 0;
}
