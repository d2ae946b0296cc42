import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Failure, reasonOf } from '../core/errors.ts';
import { sampleSubject } from '../hub/sample.ts';
import { formatDiagnostic } from '../routes/diagnostics.ts';
import { compileRoute, type Route } from '../routes/route.ts';
import { sourceTakes } from '../routes/sources.ts';
import { dialectOf } from './dialect.ts';
import { print } from './edge.ts';
import { flagsOf, usageFailure } from './flags.ts';

export const usage =
  "skerry routes test '<route>' --message '<json>' | --messages FILE [--dialect skerry|azure] [--json]";

/**
 * Asks a route about a message: prints `true`, `false`, `undefined` or `error`, or `source` if its source does not
 * take the message; with `--messages` a line for each line of a file, of standard input if that is `-`.
 */
export async function run(args: readonly string[]): Promise<number> {
  const options = {
    message: { type: 'string' },
    messages: { type: 'string' },
    dialect: { type: 'string' },
    json: { type: 'boolean' },
  } as const;
  const { values, positionals } = flagsOf(args, options, usage);
  const [text, ...more] = positionals;
  const { message, messages } = values;
  if (text === undefined || more.length > 0) throw usageFailure('Name one route', usage);
  if ((message === undefined) === (messages === undefined)) {
    throw usageFailure('Give either --message or --messages', usage);
  }
  const compiled = compileRoute(text, dialectOf(values.dialect, usage));
  if ('diagnostic' in compiled) {
    throw new Failure('route.syntax', formatDiagnostic('route', text, compiled.diagnostic));
  }
  const tell = (line: string): void => print(answerOf(compiled.route, line, values.json === true));
  if (message !== undefined) tell(message);
  else for await (const line of linesOf(messages ?? '-')) if (line.trim() !== '') tell(line);
  return 0;
}

function answerOf(route: Route, message: string, json: boolean): string {
  const subject = sampleSubject(message);
  const takes = sourceTakes(route.tree.source, subject.source, subject.topic);
  const verdict = takes ? route.judge(subject) : undefined;
  return json ? JSON.stringify({ takes, verdict }) : (verdict ?? 'source');
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  try {
    yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (thrown) {
    throw new Failure('usage', `The messages cannot be read from ${file}: ${reasonOf(thrown)}.`);
  }
}
