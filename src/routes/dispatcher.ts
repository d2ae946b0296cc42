import { MAX_PLANS, MAX_REMEMBERED_TOPIC } from '../core/limits.ts';
import { pathTakes } from './address.ts';
import { filterTakes } from './filter.ts';
import { printSink } from './printer.ts';
import type { Route } from './route.ts';
import type { Subject, Verdict } from './subject.ts';
import type { Sink, Source } from './tree.ts';

export type RouteSetEntry = {
  readonly name: string;
  readonly route: Route;
  /** 0 to 9, the lower the better. */
  readonly priority: number;
  /** Milliseconds that what it takes may wait; undefined: as long as the store allows. */
  readonly ttl: number | undefined;
};

/** What one route said, counted over the messages of its source. */
export type RouteCounts = {
  readonly matched: number;
  readonly unmatched: number;
  readonly undefined: number;
  readonly errors: number;
};

export type Take = (sink: Sink, priority: number, ttl: number | undefined) => void;

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

type Counted = RouteSetEntry & { readonly counts: Record<keyof RouteCounts, number> };

/** The routes that a kind of message can take to one endpoint, the best first. */
type Lane = readonly Counted[];

/** The routes of a manifest as one function from message to endpoints. */
export function createDispatcher(entries: readonly RouteSetEntry[]): Dispatcher {
  const routes = entries.map(entry => ({
    ...entry,
    counts: { matched: 0, unmatched: 0, undefined: 0, errors: 0 },
  }));
  const lanesFor = createPlanner(routes);
  return {
    dispatch: (subject, take) => {
      for (const lane of lanesFor(subject.source, subject.topic)) {
        const winner = firstToTake(lane, subject);
        if (winner !== undefined) take(winner.route.tree.sink, winner.priority, winner.ttl);
      }
    },
    concerns: (source, topic) => lanesFor(source, topic).length > 0,
    counts: () => Object.fromEntries(routes.map(({ name, counts }) => [name, { ...counts }])),
  };
}

function firstToTake(lane: Lane, subject: Subject): Counted | undefined {
  let winner: Counted | undefined;
  for (const entry of lane) {
    const verdict = entry.route.judge(subject);
    count(entry.counts, verdict);
    if (verdict === 'true') winner ??= entry;
  }
  return winner;
}

function count(counts: Counted['counts'], verdict: Verdict): void {
  switch (verdict) {
    case 'true':
      counts.matched += 1;
      break;
    case 'false':
      counts.unmatched += 1;
      break;
    case 'undefined':
      counts.undefined += 1;
      break;
    case 'error':
      counts.errors += 1;
      break;
  }
}

/** Finds the lanes of a source and a topic, and remembers them, so that routes of other sources cost nothing. */
function createPlanner(routes: readonly Counted[]): (source: string, topic: string) => readonly Lane[] {
  const byTopic = routes.some(({ route }) => route.tree.source.kind === 'topic');
  const plans = new Map<string, Map<string, readonly Lane[]>>();
  let remembered = 0;
  return (source, topic) => {
    const key = byTopic ? topic : '';
    const known = plans.get(source)?.get(key);
    if (known !== undefined) return known;
    const lanes = lanesOf(routes.filter(({ route }) => sourceTakes(route.tree.source, source, topic)));
    if (key.length > MAX_REMEMBERED_TOPIC) return lanes;
    if (remembered === MAX_PLANS) {
      plans.clear();
      remembered = 0;
    }
    plans.set(source, (plans.get(source) ?? new Map()).set(key, lanes));
    remembered += 1;
    return lanes;
  };
}

function sourceTakes(wanted: Source, source: string, topic: string): boolean {
  return wanted.kind === 'path' ? pathTakes(wanted.segments, source) : filterTakes(wanted.filter, topic);
}

function lanesOf(routes: readonly Counted[]): readonly Lane[] {
  const bySink = Map.groupBy(routes, ({ route }) => printSink(route.tree.sink));
  return Array.from(bySink.values(), lane => lane.toSorted((one, other) => one.priority - other.priority));
}
