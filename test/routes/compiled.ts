import { compileRoute, type Route } from '../../src/routes/route.ts';

/** The route of a text that must compile. */
export function compiled(text: string): Route {
  const result = compileRoute(text);
  if ('diagnostic' in result) throw new Error(`${text}: ${result.diagnostic.sentence}`);
  return result.route;
}
