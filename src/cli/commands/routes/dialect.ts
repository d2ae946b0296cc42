import { DIALECTS, type Dialect } from '../../../routes/dialect.ts';

/** The dialect that an option names, or the default. */
export function dialectOf(option: string | undefined): Dialect {
  return DIALECTS.find(dialect => dialect === option) ?? 'skerry';
}
