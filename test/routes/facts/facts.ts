import type { Sample } from '../subject.ts';
import reference from './reference.json' with { type: 'json' };

/**
 * Condition and message of a test of Azure IoT Edge. The compiler refuses a condition with the result
 * `error`.
 */
type Fact = {
  readonly message: string;
  readonly condition: string;
  readonly expected: string;
  readonly source: string;
};

export type Statement =
  | { readonly route: string; readonly expected: unknown }
  | { readonly pattern: string; readonly source: string; readonly expected: boolean }
  | { readonly path: string; readonly twinChange: boolean; readonly expected: boolean };

export const CONDITIONS: readonly Fact[] = reference.conditions.map(
  ([message = '', condition = '', expected = '', source = '/messages/*']) => ({
    message,
    condition,
    expected,
    source,
  }),
);

export const SAMPLES: ReadonlyMap<string, Sample> = new Map(
  Object.entries(reference.messages).map(([name, { body, properties, systemProperties }]) => [
    name,
    { properties, system: systemProperties, body: parsed(body) },
  ]),
);

export const STATEMENTS: readonly Statement[] = reference.statements.map(statement => {
  const { route, source_pattern: pattern, message_source: source, json_path: path, expected } = statement;
  if (route !== undefined) return { route, expected: endsOf(expected) };
  if (pattern !== undefined && source !== undefined) return { pattern, source, expected: expected === true };
  return { path: path ?? '', twinChange: statement.twin_change === true, expected: expected === true };
});

type Ends = { readonly source: string; readonly endpoint: { readonly address?: string } };

function endsOf(expected: string | boolean | Ends): unknown {
  if (typeof expected !== 'object') return expected;
  const { address } = expected.endpoint;
  const [, , module, , input] = address?.split('/') ?? [];
  return { source: expected.source, sink: address === undefined ? 'upstream' : `${module} ${input}` };
}

/** Parses a body. Undefined if the body is not JSON. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
