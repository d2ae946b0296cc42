import { DIALECTS, type Dialect } from '../../../routes/dialect.ts';

/** Dialect of an option's value, or the default dialect. */
export function dialectOf(option: string | undefined): Dialect {
  return DIALECTS.find(dialect => dialect === option) ?? 'skerry';
}
