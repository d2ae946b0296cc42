import { type Candidate, compileLanes, type Lane, type Run, type Take } from './code/set.ts';
import { MAX_CACHED_TOPIC_LENGTH, MAX_PLANS } from './limits.ts';
import { printSink } from './printer.ts';
import { readsTopic, sourceTakes } from './sources.ts';
import type { Subject } from './subject.ts';

/** What one route said, counted over the messages of its source. */
export type RouteCounts = Readonly<Candidate['counts']>;

export type RouteSetEntry = Omit<Candidate, 'counts'> & { readonly name: string };

export type Dispatcher = {
  /**
   * Calls `take` once for each endpoint that some route delivers `subject` to, with the priority and TTL of the
   * best of these routes; among equals the first in the set. Every route whose source fits is asked and counted.
   */
  readonly dispatch: (subject: Subject, take: Take) => void;
  /** True if the source of some route fits: others need not be dispatched. */
  readonly concerns: (source: string, topic: string) => boolean;
  /** By the route's name. */
  readonly counts: () => Readonly<Record<string, RouteCounts>>;
};

type Counted = RouteSetEntry & Candidate;

/** What no route takes. */
const NOTHING: Run = () => {};

/** The routes of a manifest as one function from message to endpoints. */
export function createDispatcher(entries: readonly RouteSetEntry[]): Dispatcher {
  const routes = entries.map(entry => ({
    ...entry,
    counts: { matched: 0, unmatched: 0, undefined: 0, errors: 0 },
  }));
  const byTopic = routes.some(({ route }) => readsTopic(route.tree.source));
  const find = createPlans(routes);
  // Messages come in runs of one kind: what is made of them is found without looking it up.
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
 * Finds the function of a source and a topic (empty if no route asks for it), and remembers it, so that routes of
 * other sources cost nothing. Kinds of messages that the same routes concern share one.
 */
function createPlans(routes: readonly Counted[]): (source: string, topic: string) => Run {
  const plans = new Map<string, Map<string, Run>>();
  const bySet = new Map<string, Run>();
  let remembered = 0;

  const runOf = (source: string, topic: string): Run => {
    const concerned = routes.filter(({ route }) => sourceTakes(route.tree.source, source, topic));
    const key = concerned.map(route => routes.indexOf(route)).join();
    const run = bySet.get(key) ?? (key === '' ? NOTHING : compileLanes(lanesOf(concerned)));
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

function lanesOf(routes: readonly Counted[]): readonly Lane[] {
  const bySink = Map.groupBy(routes, ({ route }) => printSink(route.tree.sink));
  return Array.from(bySink.values(), lane => lane.toSorted((one, other) => one.priority - other.priority));
}
