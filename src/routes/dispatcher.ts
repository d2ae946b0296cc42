import { type Candidate, compileRoutes, type Run, type SinkRoutes, type Take } from './code/set.ts';
import { MAX_CACHED_TOPIC_LENGTH, MAX_PLANS } from './limits.ts';
import { printSink } from './printer.ts';
import { readsTopic, sourceMatches } from './sources.ts';
import type { Subject } from './subject.ts';

/**
 * Number of messages for each result of a route's condition. Counts only messages that match the source of
 * the route.
 */
export type RouteCounts = Readonly<Candidate['counts']>;

export type RouteSetEntry = Omit<Candidate, 'counts'> & { readonly name: string };

export type Dispatcher = {
  /**
   * Calls `take` once for each sink of a matching route, with the priority and TTL of the most urgent
   * matching route to this sink. If several of these routes are equally urgent, the first route counts.
   * Evaluates and counts every route whose source matches.
   */
  readonly dispatch: (subject: Subject, take: Take) => void;
  /**
   * Returns true if the source of at least one route matches. If false, the caller can skip `dispatch` for
   * the message.
   */
  readonly concerns: (source: string, topic: string) => boolean;
  /** Returns the counters by route name. */
  readonly counts: () => Readonly<Record<string, RouteCounts>>;
};

type Counted = RouteSetEntry & Candidate;

/** Function that does nothing, used for messages that match no source. */
const NOTHING: Run = () => {};

/** Compiles the routes of a manifest to one function that finds the sinks of a message. */
export function createDispatcher(entries: readonly RouteSetEntry[]): Dispatcher {
  const routes = entries.map(entry => ({
    ...entry,
    counts: { matched: 0, unmatched: 0, undefined: 0, errors: 0 },
  }));
  const byTopic = routes.some(({ route }) => readsTopic(route.tree.source));
  const find = createPlans(routes);
  // The function of the last message is cached, because consecutive messages mostly have the same source and
  // topic.
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
 * Creates a cached lookup by the source and the topic of a message. The lookup returns the function that
 * evaluates the routes whose source matches. The topic is empty if no route filters topics. Lookups that find
 * the same routes share one function.
 */
function createPlans(routes: readonly Counted[]): (source: string, topic: string) => Run {
  const plans = new Map<string, Map<string, Run>>();
  const bySet = new Map<string, Run>();
  let cachedCount = 0;

  const runOf = (source: string, topic: string): Run => {
    const candidates = routes.filter(({ route }) => sourceMatches(route.tree.source, source, topic));
    const key = candidates.map(route => routes.indexOf(route)).join();
    const run = bySet.get(key) ?? (key === '' ? NOTHING : compileRoutes(groupBySink(candidates)));
    bySet.set(key, run);
    return run;
  };

  return (source, topic) => {
    const known = plans.get(source)?.get(topic);
    if (known !== undefined) return known;
    if (cachedCount === MAX_PLANS || bySet.size === MAX_PLANS) {
      plans.clear();
      bySet.clear();
      cachedCount = 0;
    }
    const run = runOf(source, topic);
    if (topic.length > MAX_CACHED_TOPIC_LENGTH) return run;
    plans.set(source, (plans.get(source) ?? new Map()).set(topic, run));
    cachedCount += 1;
    return run;
  };
}

function groupBySink(routes: readonly Counted[]): readonly SinkRoutes[] {
  const bySink = Map.groupBy(routes, ({ route }) => printSink(route.tree.sink));
  return Array.from(bySink.values(), lane => lane.toSorted((one, other) => one.priority - other.priority));
}
