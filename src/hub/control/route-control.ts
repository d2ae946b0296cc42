import type { Clock } from '../../core/clock.ts';
import { Failure } from '../../core/errors.ts';
import type { Message } from '../../core/message.ts';
import type { Store } from '../../queue/types.ts';
import { formatDiagnostic } from '../../routes/diagnostics.ts';
import type { RouteSetEntry } from '../../routes/dispatcher.ts';
import { type Explained, explainRoute } from '../../routes/explain.ts';
import { compileRoute } from '../../routes/route.ts';
import { sourceMatches } from '../../routes/sources.ts';
import type { ConditionResult, Subject } from '../../routes/subject.ts';
import { MAX_REPLAY_SHOWN, MAX_REPLAYED, REPLAY_BATCH } from '../limits.ts';
import type { Routing } from '../routing/compiled-routes.ts';
import { createSubject } from '../routing/subject.ts';
import { type ShownMessage, shownMessage } from './queue-control.ts';
import { sampleSubject } from './sample-message.ts';

/** Maximum length of a value in a control reply, in UTF-16 code units. A longer value is truncated. */
const MAX_SHOWN = 200;

/** Explanation of why a route matches or does not match a message. */
export type ExplainedRoute = Omit<Explained, 'values'> & {
  readonly name: string;
  readonly text: string;
  /**
   * Values of the condition and its subexpressions, each as JSON or as the text `undefined`. An expression is
   * listed before its operands.
   */
  readonly values: readonly { readonly text: string; readonly value: string; readonly depth: number }[];
};

/** Result of a test that applies a route to the messages in the queues. */
export type Replay = {
  /** Number of examined messages. A message in several queues counts once. */
  readonly messages: number;
  /**
   * Number of messages for each result of the condition. Messages whose source does not match the route are
   * not counted.
   */
  readonly verdicts: Readonly<Record<ConditionResult, number>>;
  /**
   * First matching messages, at most MAX_REPLAY_SHOWN. `waited` is the time that the message has spent in the
   * queue, in milliseconds of hub time (the hub's own clock for TTLs).
   */
  readonly taken: readonly { readonly waited: number; readonly message: ShownMessage }[];
  /**
   * True if the queues contain more than MAX_REPLAYED messages, and only MAX_REPLAYED of them were examined.
   */
  readonly cut: boolean;
};

/** Actions of the commands `skerry routes explain` and `skerry routes replay`. */
export type RouteControl = {
  /**
   * Explains why the route with the name `route` matches or does not match a message. If `route` is empty,
   * explains all routes. Throws Failure `usage` for an invalid message or an unknown route.
   */
  readonly explain: (message: string, route: string) => readonly ExplainedRoute[];
  /**
   * Tests the route with the text `text` on the queued messages that have waited for at most `since`
   * milliseconds. Throws Failure `route.syntax` if the route is invalid.
   */
  readonly replay: (text: string, since: number) => Promise<Replay>;
};

export type RouteControlSettings = {
  readonly clock: Pick<Clock, 'wall'>;
  readonly store: Store;
  /** Returns the current routes. */
  readonly routing: () => Routing;
};

export function controlRoutes({ clock, store, routing }: RouteControlSettings): RouteControl {
  return {
    explain: (message, route) => explainRoutes(routing().routes, sampleSubject(message), route),
    replay: async (text, since) => {
      const { manifest } = routing();
      const compiled = compileRoute(text, manifest.dialect);
      if ('diagnostic' in compiled) {
        throw new Failure('route.syntax', formatDiagnostic('route', text, compiled.diagnostic));
      }
      const { evaluate, tree } = compiled.route;
      const subject = createSubject(manifest.name, clock.wall);
      const verdicts = { true: 0, false: 0, undefined: 0, error: 0 };
      const taken: Replay['taken'][number][] = [];
      const ask = (message: Message, waited: number): void => {
        const asked: Subject = subject.of(message, waited);
        if (!sourceMatches(tree.source, asked.source, asked.topic)) return;
        const verdict = evaluate(asked);
        verdicts[verdict] += 1;
        if (verdict === 'true' && taken.length < MAX_REPLAY_SHOWN) {
          taken.push({ waited, message: shownMessage(message) });
        }
      };
      const { messages, cut } = await eachWaiting(store, since, ask);
      return { messages, verdicts, taken, cut };
    },
  };
}

/**
 * Explains for each route why the route matches or does not match a message. If `wanted` is not empty,
 * explains only the route with this name. Throws Failure `usage` for an unknown route.
 */
export function explainRoutes(
  routes: readonly RouteSetEntry[],
  subject: Subject,
  wanted: string,
): readonly ExplainedRoute[] {
  const selected = wanted === '' ? routes : routes.filter(({ name }) => name === wanted);
  if (selected.length === 0 && wanted !== '') {
    throw new Failure('usage', `There is no route "${wanted}": "skerry routes" lists them.`);
  }
  return selected.map(({ name, route }) => {
    const explained = explainRoute(route, subject);
    const values = explained.values.map(part => ({ ...part, value: shown(part.value) }));
    return { name, text: route.text, ...explained, values };
  });
}

function shown(value: unknown): string {
  const text = typeof value === 'number' || value === undefined ? String(value) : jsonOf(value);
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}

/**
 * Returns the JSON text of a value. A value that is nested too deeply for the recursion of JSON.stringify is
 * replaced by a remark.
 */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) return 'nested too deeply to be shown';
    throw error;
  }
}

/** Calls `visit` with each queued message once. The event loop runs between two batches. */
async function eachWaiting(
  store: Store,
  since: number,
  visit: (message: Message, waited: number) => void,
): Promise<{ readonly messages: number; readonly cut: boolean }> {
  const seen = new Set<number>();
  for (const { queue } of store.stats()) {
    let batch = store.peek(queue, REPLAY_BATCH);
    while (batch.length > 0) {
      for (const { sequence, message, waited } of batch) {
        if (message === undefined || waited > since || seen.has(sequence)) continue;
        if (seen.size === MAX_REPLAYED) return { messages: seen.size, cut: true };
        seen.add(sequence);
        visit(message, waited);
      }
      await new Promise(resolve => setImmediate(resolve));
      batch = store.peek(queue, REPLAY_BATCH, batch.at(-1));
    }
  }
  return { messages: seen.size, cut: false };
}
