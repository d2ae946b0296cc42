import { closestName } from '../../../core/text/closest-name.ts';
import { refuse } from '../../diagnostics.ts';
import type { Sink, Source, TextSpan } from '../../tree.ts';
import { filterProblem, topicProblem } from '../filter.ts';

/** Segments of each known source. `undefined` stands for the name of a module or an output. */
const SHAPES = [['messages', 'modules', undefined, 'outputs', undefined], ['twinChangeNotifications']];
const SOURCES =
  '/*, /messages/*, /messages/modules/*, /messages/modules/<module>/outputs/<output> or /twinChangeNotifications';

/**
 * Parses a source at `offset`. Drops trailing `*` and `/`. Refuses unknown sources and any other `*`, because
 * such sources would never match a message.
 */
export function parseSourcePath(path: string, offset: number): Source {
  const written = path.slice(1).split('/');
  while (written.at(-1) === '' || written.at(-1) === '*') written.pop();
  const shape = shapeOf(written[0] ?? '');
  let start = offset + 1;
  const segments: string[] = [];
  for (const [index, segment] of written.entries()) {
    segments.push(sourceSegment(segment, shape, index, { start, end: start + segment.length }));
    start += segment.length + 1;
  }
  return { kind: 'path', segments };
}

type Shape = readonly (string | undefined)[];

/**
 * Returns the segments of the known source that begins with `first`. If no known source begins with `first`,
 * returns the segments of any known source: the caller then refuses the address, because `first` does not
 * match.
 */
function shapeOf(first: string): Shape {
  const [usual = []] = SHAPES;
  return SHAPES.find(([segment]) => segment?.toLowerCase() === first.toLowerCase()) ?? usual;
}

function sourceSegment(segment: string, shape: Shape, index: number, span: TextSpan): string {
  const whole = { start: span.start, end: Math.max(span.end, span.start + 1) };
  if (segment === '') return refuse(whole, 'this source has an empty segment', { expected: SOURCES });
  if (segment.includes('*')) return refuse(whole, 'in a source, * is allowed only at the end');
  if (index >= shape.length) return refuse(whole, `no source has a segment ${segment} here`);
  const known = shape[index];
  if (known === undefined) return segment;
  if (known.toLowerCase() === segment.toLowerCase()) return known;
  const nearest = closestName(segment, index === 0 ? SHAPES.flatMap(([first]) => first ?? []) : [known]);
  return refuse(whole, `${segment} is not part of any source`, { expected: SOURCES, nearest });
}

/** Parses the filter of `topic("filter")` or `$upstream("filter")`. */
export function parseSourceFilter(filter: string, span: TextSpan): string {
  const problem = filterProblem(filter);
  if (problem !== undefined)
    refuse(span, `this topic filter ${problem}`, { expected: 'one like sensors/+/temp' });
  return filter;
}

/** Parses the sink `topic("name")`. */
export function parseSinkTopic(topic: string, span: TextSpan): Sink {
  const problem = topicProblem(topic);
  if (problem !== undefined)
    refuse(span, `the topic of this sink ${problem}`, { expected: 'one like alerts/hot' });
  return { kind: 'topic', topic };
}

/** Parses the sink `BrokeredEndpoint("/modules/<module>/inputs/<input>")`. */
export function parseInputAddress(address: string, span: TextSpan): Sink {
  const [empty, modules, module, inputs, input, ...more] = address.split('/');
  const shaped = empty === '' && modules === 'modules' && inputs === 'inputs' && more.length === 0;
  if (!shaped || !module || !input) {
    const expected = '/modules/<module>/inputs/<input>';
    return refuse(span, 'this is not the address of an input', { expected });
  }
  const problem = topicProblem(`${module}/${input}`);
  if (problem !== undefined) return refuse(span, `the name of a module or an input ${problem}`);
  return { kind: 'input', module, input };
}
