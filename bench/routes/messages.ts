import type { Subject } from '../../src/routes/subject.ts';

/** Message as received: properties as a flat list of names and values, the body as bytes. */
export type BenchMessage = { readonly properties: readonly string[]; readonly body: Buffer };

const LEVELS = ['cold', 'hot', 'warm', 'hot'];
const SITES = ['north', 'south', 'north', 'test-bed'];

/** Filler for a body of about 500 bytes. */
const NOTES = Array.from({ length: 8 }, (_, at) => ({ id: at, note: `inspected and found in order ${at}` }));

/**
 * Returns messages that match and do not match the conditions, in turn. Bodies have 500 bytes if `large` is
 * true, otherwise 100.
 */
export function messagesOf(large: boolean): readonly BenchMessage[] {
  return LEVELS.map((level, at) => {
    const celsius = 55 + at * 4.5;
    const site = SITES[at] ?? '';
    const sensors = [{ celsius: 20 }, { celsius }];
    const body = { name: `boiler ${at}`, celsius, site, sensors, ...(large ? { notes: NOTES } : {}) };
    return {
      properties: ['site', site, 'temp', String(celsius), 'level', level],
      body: Buffer.from(JSON.stringify(body)),
    };
  });
}

/** Creates a reusable subject, as the hub does. `of` sets its message. */
export function createSubject(): Subject & { readonly of: (message: BenchMessage) => Subject } {
  let message: BenchMessage | undefined;
  let parsed = false;
  let body: unknown;
  const subject = {
    source: '/messages/modules/host/outputs/temp',
    topic: 'modules/host/outputs/temp',
    properties: [] as readonly string[],
    system: () => undefined,
    body: () => {
      if (parsed || message === undefined) return body;
      parsed = true;
      body = JSON.parse(message.body.toString());
      return body;
    },
    of: (next: BenchMessage): Subject => {
      message = next;
      parsed = false;
      body = undefined;
      subject.properties = next.properties;
      return subject;
    },
  };
  return subject;
}
