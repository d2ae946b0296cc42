import type { Dialect } from '../../src/routes/dialect.ts';
import { compileRoute, type Route } from '../../src/routes/route.ts';

/** Compiles a route. Throws if the text is refused. */
export function compiled(text: string, dialect: Dialect = 'skerry'): Route {
  const result = compileRoute(text, dialect);
  if ('diagnostic' in result) throw new Error(`${text}: ${result.diagnostic.sentence}`);
  return result.route;
}
