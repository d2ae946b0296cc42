import type { Message, Origin } from '../core/message.ts';
import type { Subject } from '../routes/subject.ts';

/** The message as routes see it. Its body is parsed at most once, and only if a route asks for it. */
export function subjectOf(message: Message, device: string): Subject {
  let parsed = false;
  let body: unknown;
  return {
    source: sourceOf(message.origin),
    topic: message.topic,
    properties: message.properties,
    system: name => systemProperty(message, device, name),
    body: () => {
      if (!parsed) {
        parsed = true;
        body = jsonOf(message.body);
      }
      return body;
    },
  };
}

/** The path that a route's source is matched with. */
export function sourceOf(origin: Origin): string {
  if (origin.kind === 'client') return '/messages';
  const module = `/messages/modules/${origin.module}`;
  return origin.output === '' ? module : `${module}/outputs/${origin.output}`;
}

function systemProperty({ origin, contentType }: Message, device: string, name: string): string | undefined {
  switch (name) {
    case 'connectionDeviceId':
      return device;
    case 'connectionModuleId':
      return origin.kind === 'module' ? origin.module : undefined;
    case 'outputName':
      return origin.kind === 'module' && origin.output !== '' ? origin.output : undefined;
    case 'contentType':
      return contentType;
    default:
      return undefined;
  }
}

/** Undefined for what is not JSON: to a route such a body has no values, and that is no error. */
function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
