import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Failure, reasonOf } from '../../../core/errors.ts';
import { sampleSubject } from '../../../hub/control/sample-message.ts';
import { formatDiagnostic } from '../../../routes/diagnostics.ts';
import { compileRoute, type Route } from '../../../routes/route.ts';
import { sourceMatches } from '../../../routes/sources.ts';
import type { ConditionResult } from '../../../routes/subject.ts';
import { argumentsOf, usageFailure } from '../../arguments.ts';
import { ROUTES_TEST } from '../../reference/routes.ts';
import { print } from '../../system.ts';
import { dialectOf } from './dialect.ts';

/**
 * Result for one message: the value of the condition, or `source` if the source of the route does not match.
 */
type Result = ConditionResult | 'source';

/**
 * Tests a route on one message, or on each line of a file. Returns exit code 1 if the route does not match
 * all messages.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(ROUTES_TEST, args);
  const [text = ''] = positionals;
  const { message, messages } = values;
  if ((message === undefined) === (messages === undefined)) {
    throw usageFailure('Give either --message or --messages', ROUTES_TEST);
  }
  const compiled = compileRoute(text, dialectOf(values.dialect));
  if ('diagnostic' in compiled) {
    throw new Failure('route.syntax', formatDiagnostic('route', text, compiled.diagnostic));
  }
  let matchesAll = true;
  const test = (line: string): void => {
    const result = resultOf(compiled.route, line);
    matchesAll &&= result === 'true';
    print(values.json ? asJson(result) : result);
  };
  if (message !== undefined) test(message);
  else for await (const line of linesOf(messages ?? '-')) if (line.trim() !== '') test(line);
  return matchesAll ? 0 : 1;
}

function resultOf(route: Route, message: string): Result {
  const subject = sampleSubject(message);
  return sourceMatches(route.tree.source, subject.source, subject.topic) ? route.evaluate(subject) : 'source';
}

function asJson(result: Result): string {
  return JSON.stringify(result === 'source' ? { takes: false } : { takes: true, verdict: result });
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  try {
    yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (thrown) {
    throw new Failure('usage', `The messages cannot be read from ${file}: ${reasonOf(thrown)}.`);
  }
}
