import { type Candidate, compileRoutes, type Run, type SinkRoutes, type Take } from './code/set.ts';
import { MAX_CACHED_TOPIC_LENGTH, MAX_PLANS } from './limits.ts';
import { printSink } from './printer.ts';
import { readsTopic, sourceMatches } from './sources.ts';
import type { Subject } from './subject.ts';

/** Results of one route, counted over the messages that match its source. */
export type RouteCounts = Readonly<Candidate['counts']>;

export type RouteSetEntry = Omit<Candidate, 'counts'> & { readonly name: string };

export type Dispatcher = {
  /**
   * Calls `take` once for each sink of a matching route, with the priority and TTL of the most urgent
   * matching route to this sink. If several matching routes are equally urgent, the first one of them counts.
   * Evaluates and counts every route whose source matches.
   */
  readonly dispatch: (subject: Subject, take: Take) => void;
  /**
   * Returns true if the source of at least one route matches. If false, `dispatch` need not be called for the
   * message.
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
 * Creates a cached lookup: from the source and the topic of a message to the function that evaluates the
 * matching routes. The topic is empty if no route filters topics. Routes of other sources are not evaluated.
 * If several sources have the same candidate routes, they share one function.
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
