import { DIALECTS, type Dialect } from '../../../routes/dialect.ts';

/** Returns the dialect that the option names, or the default dialect. */
export function dialectOf(option: string | undefined): Dialect {
  return DIALECTS.find(dialect => dialect === option) ?? 'skerry';
}
