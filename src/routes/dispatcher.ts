import { type Candidate, compileRoutes, type Run, type SinkRoutes, type Take } from './code/set.ts';
import { MAX_CACHED_TOPIC_LENGTH, MAX_PLANS } from './limits.ts';
import { printSink } from './printer.ts';
import { readsTopic, sourceMatches } from './sources.ts';
import type { Subject } from './subject.ts';

/** Results of one route, counted over the messages of its source. */
export type RouteCounts = Readonly<Candidate['counts']>;

export type RouteSetEntry = Omit<Candidate, 'counts'> & { readonly name: string };

export type Dispatcher = {
  /**
   * Calls `take` once for each sink of a matching route, with priority and TTL of the best matching route;
   * among equals the first in the set. Evaluates and counts every route whose source matches.
   */
  readonly dispatch: (subject: Subject, take: Take) => void;
  /** True if the source of any route matches. Other messages need not be dispatched. */
  readonly concerns: (source: string, topic: string) => boolean;
  /** Counters by route name. */
  readonly counts: () => Readonly<Record<string, RouteCounts>>;
};

type Counted = RouteSetEntry & Candidate;

/** Function for messages that match no source. */
const NOTHING: Run = () => {};

/** Compiles the routes of a manifest to one function from message to sinks. */
export function createDispatcher(entries: readonly RouteSetEntry[]): Dispatcher {
  const routes = entries.map(entry => ({
    ...entry,
    counts: { matched: 0, unmatched: 0, undefined: 0, errors: 0 },
  }));
  const byTopic = routes.some(({ route }) => readsTopic(route.tree.source));
  const find = createPlans(routes);
  // Consecutive messages are usually of one kind, so the last function is cached.
  let lastSource: string | undefined;
  let lastTopic: string | undefined;
  let lastRun = NOTHING;
  return {
    dispatch: (subject, take) => {
      const { source } = subject;
      const topic = byTopic ? subject.topic : '';
      if (source !== lastSource || topic !== lastTopic) {
        lastRun = find(source, topic);
        lastSource = source;
        lastTopic = topic;
      }
      lastRun(subject, take);
    },
    concerns: (source, topic) => find(source, byTopic ? topic : '') !== NOTHING,
    counts: () => Object.fromEntries(routes.map(({ name, counts }) => [name, { ...counts }])),
  };
}

/**
 * Finds and caches the function of a source and topic (empty if no route filters topics), so that routes of
 * other sources cost nothing. Kinds of messages with the same candidate routes share one function.
 */
function createPlans(routes: readonly Counted[]): (source: string, topic: string) => Run {
  const plans = new Map<string, Map<string, Run>>();
  const bySet = new Map<string, Run>();
  let remembered = 0;

  const runOf = (source: string, topic: string): Run => {
    const concerned = routes.filter(({ route }) => sourceMatches(route.tree.source, source, topic));
    const key = concerned.map(route => routes.indexOf(route)).join();
    const run = bySet.get(key) ?? (key === '' ? NOTHING : compileRoutes(groupBySink(concerned)));
    bySet.set(key, run);
    return run;
  };

  return (source, topic) => {
    const known = plans.get(source)?.get(topic);
    if (known !== undefined) return known;
    if (remembered === MAX_PLANS || bySet.size === MAX_PLANS) {
      plans.clear();
      bySet.clear();
      remembered = 0;
    }
    const run = runOf(source, topic);
    if (topic.length > MAX_CACHED_TOPIC_LENGTH) return run;
    plans.set(source, (plans.get(source) ?? new Map()).set(topic, run));
    remembered += 1;
    return run;
  };
}

function groupBySink(routes: readonly Counted[]): readonly SinkRoutes[] {
  const bySink = Map.groupBy(routes, ({ route }) => printSink(route.tree.sink));
  return Array.from(bySink.values(), lane => lane.toSorted((one, other) => one.priority - other.priority));
}
