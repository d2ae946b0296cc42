import { DIALECTS, type Dialect } from '../routes/dialect.ts';
import { usageFailure } from './flags.ts';

/** The dialect that a flag names, or the default. Throws Failure `usage`. */
export function dialectOf(flag: string | undefined, usage: string): Dialect {
  if (flag === undefined) return 'skerry';
  const found = DIALECTS.find(dialect => dialect === flag);
  if (found === undefined) throw usageFailure(`--dialect must be ${DIALECTS.join(' or ')}`, usage);
  return found;
}
