import { createDispatcher } from '../../src/routes/dispatcher.ts';
import { compileRoute } from '../../src/routes/route.ts';
import type { Sink } from '../../src/routes/tree.ts';
import { requirePeer } from '../peers.ts';
import type { Case } from './cases.ts';
import { type BenchMessage, createSubject } from './messages.ts';

/** Evaluates all routes of a case for a message and passes on each matching sink. */
export type Ask = (message: BenchMessage) => unknown;

/**
 * Number of matches. The benchmark reads this number at the end, so that no engine optimizes the evaluation
 * away.
 */
export const taken = { count: 0 };

function take(_sink: Sink, priority: number): void {
  taken.count += priority;
}

type Counts = { matched: number; unmatched: number; undefined: number };

/**
 * Engines by name. jsonata, filtrex and json-logic-js evaluate only the condition. skerry also evaluates
 * sources, counts and priorities.
 */
export const SUBJECTS: Readonly<Record<string, (asked: Case) => Ask>> = {
  skerry: ({ routes }) => {
    const entries = routes.map((text, at) => {
      const result = compileRoute(text);
      if ('diagnostic' in result) throw new Error(`${text}: ${result.diagnostic.sentence}`);
      return { name: `r${at}`, route: result.route, priority: 9, ttl: undefined };
    });
    const { dispatch } = createDispatcher(entries);
    const subject = createSubject();
    return message => dispatch(subject.of(message), take);
  },
  hand: ({ hand }) => {
    const counts: Counts[] = hand.map(() => ({ matched: 0, unmatched: 0, undefined: 0 }));
    const sink: Sink = { kind: 'upstream', name: undefined };
    return message => {
      let parsed: Record<string, unknown> | undefined;
      const body = (): Record<string, unknown> => (parsed ??= JSON.parse(message.body.toString()));
      for (let at = 0; at < hand.length; at += 1) {
        const answer = hand[at]?.(message, body);
        const count = counts[at];
        if (count === undefined) continue;
        if (answer === true) {
          count.matched++;
          take(sink, 9);
        } else if (answer === false) count.unmatched++;
        else count.undefined++;
      }
    };
  },
  jsonata: asked => {
    const jsonata = requirePeer('jsonata', '2.2.2')('jsonata');
    const expression = jsonata(asked.jsonata);
    return message => expression.evaluate(inputOf(asked, message)).then(count);
  },
  filtrex: asked => {
    const { compileExpression } = requirePeer('filtrex', '3.1.0')('filtrex');
    const extraFunctions = {
      num: Number,
      starts: (text: string, start: string) => text.startsWith(start),
      second: (sensors: readonly { readonly celsius: number }[]) => sensors[1]?.celsius,
    };
    const customProp = (name: string, _get: unknown, object: Readonly<Record<string, unknown>>) =>
      object[name];
    const ask = compileExpression(asked.filtrex, { extraFunctions, customProp });
    return message => count(ask(inputOf(asked, message)));
  },
  'json-logic-js': asked => {
    const logic = requirePeer('json-logic-js', '2.0.5')('json-logic-js');
    return message => count(logic.apply(asked.jsonLogic, inputOf(asked, message)));
  },
};

const objects = new WeakMap<BenchMessage, unknown>();

/**
 * Returns the input of jsonata, filtrex and json-logic-js: the parsed body, or a prepared object of the
 * properties.
 */
function inputOf({ body }: Case, message: BenchMessage): unknown {
  if (body !== 'none') return JSON.parse(message.body.toString());
  const known = objects.get(message);
  if (known !== undefined) return known;
  const { properties } = message;
  const pairs = properties.flatMap((name, at) => (at % 2 === 0 ? [[name, properties[at + 1]]] : []));
  const object: unknown = Object.fromEntries(pairs);
  objects.set(message, object);
  return object;
}

function count(answer: unknown): void {
  if (answer === true) taken.count += 9;
}
