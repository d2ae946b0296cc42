import { MAX_FUSED_PARTS } from '../limits.ts';
import type { Route } from '../route.ts';
import type { ConditionResult, Subject } from '../subject.ts';
import type { Sink } from '../tree.ts';
import { verdictCode } from './condition.ts';
import { createIdentities, type OperandIds } from './identities.ts';
import { createWriter, type Writer } from './writer.ts';

/** Callback that is called for each destination of a message. `ttl` is in milliseconds. */
export type Take = (sink: Sink, priority: number, ttl: number | undefined) => void;

/** Route whose source matches a message. The condition is not evaluated yet. */
export type Candidate = {
  readonly route: Route;
  /** Priority from 0 to 9. A lower number is more urgent. */
  readonly priority: number;
  /** TTL in milliseconds. Undefined if the default of the store applies. */
  readonly ttl: number | undefined;
  /** Counters of the results of the condition. */
  readonly counts: { matched: number; unmatched: number; undefined: number; errors: number };
};

/**
 * Candidate routes with the same sink, the most urgent route first. The first route whose condition is true
 * determines the priority and TTL of the message.
 */
export type SinkRoutes = readonly Candidate[];

export type Run = (subject: Subject, take: Take) => void;

/**
 * Compiles one function that evaluates all candidate routes, counts the results, and calls `take` for the
 * first match of each sink. Each element of `lanes` contains the candidates of one sink. The function
 * computes common subexpressions once per message.
 */
export function compileRoutes(lanes: readonly SinkRoutes[]): Run {
  const runs = groupsOf(lanes).map(({ group, identities }) =>
    identities === undefined ? oneByOne(group) : fused(group, identities),
  );
  const [only] = runs;
  if (only !== undefined && runs.length === 1) return only;
  return (subject, take) => {
    for (const run of runs) run(subject, take);
  };
}

type Group = {
  readonly group: readonly SinkRoutes[];
  /**
   * Common subexpressions of the conditions in the group. Undefined if the group is too large for one
   * function.
   */
  readonly identities: OperandIds | undefined;
};

/** Splits the sinks into groups, each small enough for one function that the JIT compiler optimizes. */
function groupsOf(lanes: readonly SinkRoutes[]): readonly Group[] {
  const groups: Group[] = [];
  let group: SinkRoutes[] = [];
  let identities = createIdentities();
  let parts = 0;
  const close = (): void => {
    if (group.length > 0)
      groups.push({ group, identities: parts > MAX_FUSED_PARTS ? undefined : identities });
    group = [];
    identities = createIdentities();
    parts = 0;
  };
  for (const lane of lanes) {
    const size = lane.reduce((sum, { route }) => sum + partsOf(route), 0);
    if (parts + size > MAX_FUSED_PARTS) close();
    for (const { route } of lane) if (route.checked !== undefined) identities.add(route.checked.condition);
    group.push(lane);
    parts += size;
  }
  close();
  return groups;
}

function partsOf({ checked }: Route): number {
  return checked === undefined ? 1 : createIdentities().add(checked.condition);
}

function fused(lanes: readonly SinkRoutes[], identities: OperandIds): Run {
  const writer = createWriter();
  const verdicts = new Map<Candidate, string>();
  let conditions = '';
  for (const candidate of lanes.flat()) {
    const { checked } = candidate.route;
    const verdict = checked === undefined ? 'true' : writer.temporary();
    verdicts.set(candidate, verdict);
    if (checked !== undefined) conditions += `${verdict} = ${verdictCode(checked, identities, writer)};\n`;
  }
  const counted = Array.from(verdicts, ([{ counts }, verdict]) => countCode(writer.data(counts), verdict));
  const takeCalls = lanes.map(lane => takeCode(lane, verdicts, writer));
  const fallback = writer.data(oneByOne(lanes));
  const safe = conditions === '' ? '' : `try { ${conditions} } catch { return ${fallback}(m, x); }`;
  return writer.finish(`${safe} ${counted.join(' ')} ${takeCalls.join(' ')}`);
}

function countCode(counts: string, verdict: string): string {
  if (verdict === 'true') return `${counts}.matched++;`;
  return `if (${verdict} === true) ${counts}.matched++; else if (${verdict} === false) ${counts}.unmatched++; else ${counts}.undefined++;`;
}

function takeCode(lane: SinkRoutes, verdicts: ReadonlyMap<Candidate, string>, writer: Writer): string {
  const tests = lane.map(candidate => {
    const { route, priority, ttl } = candidate;
    const where = [route.tree.sink, priority, ttl].map(writer.data).join(', ');
    return `if (${verdicts.get(candidate)} === true) x(${where});`;
  });
  return tests.join(' else ');
}

/**
 * Creates a function that evaluates each condition separately, so that an error in one condition does not
 * affect other routes.
 */
function oneByOne(lanes: readonly SinkRoutes[]): Run {
  return (subject, take) => {
    for (const lane of lanes) {
      let winner: Candidate | undefined;
      for (const candidate of lane) {
        const verdict = candidate.route.evaluate(subject);
        candidate.counts[COUNTED[verdict]] += 1;
        if (verdict === 'true') winner ??= candidate;
      }
      if (winner !== undefined) take(winner.route.tree.sink, winner.priority, winner.ttl);
    }
  };
}

const COUNTED: Readonly<Record<ConditionResult, keyof Candidate['counts']>> = {
  true: 'matched',
  false: 'unmatched',
  undefined: 'undefined',
  error: 'errors',
};
