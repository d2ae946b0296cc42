import type { Subject } from '../../src/routes/subject.ts';

/** Message of a test. */
export type Sample = {
  readonly source?: string;
  readonly topic?: string;
  readonly properties?: Readonly<Record<string, string | null>>;
  readonly system?: Readonly<Record<string, string | null>>;
  readonly body?: unknown;
};

/** Returns the subject of a sample, with the body unchanged. */
export function subjectOf(sample: Sample): Subject {
  const { source = '/messages', topic = 'sensors/1', properties = {}, system = {}, body } = sample;
  return {
    source,
    topic,
    properties: Object.entries(properties).flat(),
    system: name => (Object.hasOwn(system, name) ? system[name] : undefined),
    body: () => body,
  };
}
