import { isUtf8 } from 'node:buffer';
import type { Message, Origin, Properties } from '../../core/message.ts';
import { upstreamSource } from '../../routes/sources.ts';
import type { Subject } from '../../routes/subject.ts';
import { decodeBody } from './body-decoder.ts';

/** Data of a message on which route conditions are evaluated. One object is reused for all messages. */
export type MessageSubject = Subject & {
  /** Sets the current message, and the milliseconds for which the message has waited in a queue. */
  readonly of: (message: Message, waited?: number) => Subject;
};

/**
 * Creates the subject (the message data on which route conditions are evaluated). `device` is the device name
 * of the hub. `wall` returns the wall time in milliseconds.
 */
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

/**
 * Creates a function that returns the source path of a message's origin. The function caches the last source
 * path.
 */
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

/** Returns the source path of a message's origin. The source of a route is compared with this path. */
export function sourceOf(origin: Origin): string {
  if (origin.kind === 'upstream') return upstreamSource(origin.upstream);
  if (origin.kind === 'client') return '/messages';
  const module = `/messages/modules/${origin.module}`;
  return origin.output === '' ? module : `${module}/outputs/${origin.output}`;
}

/**
 * Returns a system property of a message. A user property never replaces the identity that the hub has
 * authenticated. Otherwise a sender could claim a false identity.
 */
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
      return origin.kind === 'module' ? undefined : userPropertyOf(message, name);
    case 'contentType':
      return contentType;
    case 'correlationId':
      return correlation === undefined ? userPropertyOf(message, name) : textOf(correlation);
    case 'contentEncoding':
      return userPropertyOf(message, name) ?? usualEncoding(message);
    default:
      return userPropertyOf(message, name);
  }
}

/**
 * Returns the value of the user property `$<name>`, which carries a system property that has no MQTT field.
 */
function userPropertyOf({ properties }: Message, name: string): string | undefined {
  for (let at = properties.length - 2; at >= 0; at -= 2) {
    const candidate = properties[at];
    if (candidate?.length === name.length + 1 && candidate.startsWith('$') && candidate.endsWith(name)) {
      return properties[at + 1];
    }
  }
  return undefined;
}

/**
 * Returns the default encoding of a body. This is UTF-8 for JSON (RFC 8259, 8.1) and for payload format 1
 * (MQTT 5, 3.3.2.3.2).
 */
function usualEncoding({ payloadFormat, contentType }: Message): string | undefined {
  return payloadFormat === 1 || contentType?.toLowerCase() === 'application/json' ? 'utf-8' : undefined;
}

/** Decodes correlation data as text. Undefined if the bytes are not UTF-8. */
function textOf(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString() : undefined;
}
