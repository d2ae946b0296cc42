import type { Dialect } from '../../src/routes/dialect.ts';
import { compileRoute, type Route } from '../../src/routes/route.ts';

/** The route of a text that must compile. */
export function compiled(text: string, dialect: Dialect = 'skerry'): Route {
  const result = compileRoute(text, dialect);
  if ('diagnostic' in result) throw new Error(`${text}: ${result.diagnostic.sentence}`);
  return result.route;
}
