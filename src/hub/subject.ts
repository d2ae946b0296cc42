import { isUtf8 } from 'node:buffer';
import type { Message, Origin, Properties } from '../core/message.ts';
import { upstreamSource } from '../routes/sources.ts';
import type { Subject } from '../routes/subject.ts';
import { decodeBody } from './body.ts';

/** A message as routes see it, one after the other: what routes are asked is asked before the next one comes. */
export type MessageSubject = Subject & {
  /** Makes it the subject of `message`, which has waited for some milliseconds. */
  readonly of: (message: Message, waited?: number) => Subject;
};

/** One subject for all messages of `device`; `wall` is the time of day in milliseconds. */
export function createSubject(device: string, wall: () => number): MessageSubject {
  let message: Message | undefined;
  let waited = 0;
  let parsed = false;
  let body: unknown;
  const sourceOfLast = createSources();

  const subject = {
    source: '',
    topic: '',
    properties: [] as Properties,
    system: (name: string): string | undefined => {
      if (message === undefined) return undefined;
      return name === 'enqueuedTime'
        ? new Date(wall() - waited).toISOString()
        : systemProperty(message, device, name);
    },
    body: (): unknown => {
      if (parsed || message === undefined) return body;
      parsed = true;
      body = decodeBody(message, systemProperty(message, device, 'contentEncoding'));
      return body;
    },
    of: (next: Message, since = 0): Subject => {
      message = next;
      waited = since;
      parsed = false;
      body = undefined;
      subject.source = sourceOfLast(next.origin);
      subject.topic = next.topic;
      subject.properties = next.properties;
      return subject;
    },
  };
  return subject;
}

/** The source of an origin, made anew only when it is another than the last. */
function createSources(): (origin: Origin) => string {
  let last: Origin | undefined;
  let source = '';
  return origin => {
    const same =
      last?.kind === 'module' &&
      origin.kind === 'module' &&
      last.module === origin.module &&
      last.output === origin.output;
    if (!same) source = sourceOf(origin);
    last = origin;
    return source;
  };
}

/** The path that a route's source is matched with. */
export function sourceOf(origin: Origin): string {
  if (origin.kind === 'upstream') return upstreamSource(origin.upstream);
  if (origin.kind === 'client') return '/messages';
  const module = `/messages/modules/${origin.module}`;
  return origin.output === '' ? module : `${module}/outputs/${origin.output}`;
}

/** What the hub knows of a message, and else what its sender says: nobody can say to be another. */
function systemProperty(message: Message, device: string, name: string): string | undefined {
  const { origin, contentType, correlation } = message;
  switch (name) {
    case 'connectionDeviceId':
      return origin.kind === 'upstream' ? undefined : device;
    case 'connectionModuleId':
      return origin.kind === 'module' ? origin.module : undefined;
    case 'outputName':
      return origin.kind === 'module' && origin.output !== '' ? origin.output : undefined;
    case 'childDevice':
    case 'childModule':
    case 'childOutput':
    case 'childTopic':
      return origin.kind === 'module' ? undefined : saidOf(message, name);
    case 'contentType':
      return contentType;
    case 'correlationId':
      return correlation === undefined ? saidOf(message, name) : textOf(correlation);
    case 'contentEncoding':
      return saidOf(message, name) ?? usualEncoding(message);
    default:
      return saidOf(message, name);
  }
}

/** MQTT has no place for it: a user property of that name with its `$`. */
function saidOf({ properties }: Message, name: string): string | undefined {
  for (let at = properties.length - 2; at >= 0; at -= 2) {
    const candidate = properties[at];
    if (candidate?.length === name.length + 1 && candidate.startsWith('$') && candidate.endsWith(name)) {
      return properties[at + 1];
    }
  }
  return undefined;
}

/** JSON is UTF-8 where nobody says otherwise (RFC 8259, 8.1), as is what says to be text (MQTT 5, 3.3.2.3.2). */
function usualEncoding({ payloadFormat, contentType }: Message): string | undefined {
  return payloadFormat === 1 || contentType?.toLowerCase() === 'application/json' ? 'utf-8' : undefined;
}

/** Correlation data are bytes; a route sees them if they are text. */
function textOf(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString() : undefined;
}
