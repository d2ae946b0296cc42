import type { Message } from '../../core/message.ts';

/** Placeholder of a topic template. */
type Field = (message: Message, device: string) => string;

const FIELDS: Readonly<Record<string, Field>> = {
  '{device}': (_, device) => device,
  '{module}': ({ origin }) => (origin.kind === 'module' ? origin.module : ''),
  '{output}': ({ origin }) => (origin.kind === 'module' ? origin.output : ''),
  '{topic}': ({ topic }) => topic,
};

/** Default template for messages that do not come from a module output. */
const OTHERS = '{device}/{topic}';

/** Creates the function from a message to its topic upstream, from a validated template. */
export function topicMaker(template: string, device: string): (message: Message) => string {
  const ofOutputs = partsOf(template);
  const ofOthers = /\{(module|output)\}/.test(template) ? partsOf(OTHERS) : ofOutputs;
  const make = (message: Message): string => {
    const { origin } = message;
    const isOutput = origin.kind === 'module' && origin.output !== '';
    let topic = '';
    for (const part of isOutput ? ofOutputs : ofOthers)
      topic += typeof part === 'string' ? part : part(message, device);
    return topic;
  };
  /** Cached, because most messages have the topic and origin of the one before. */
  let last: { readonly topic: string; readonly origin: Message['origin']; readonly made: string } | undefined;
  return message => {
    if (last === undefined || message.topic !== last.topic || !isSame(message.origin, last.origin))
      last = { topic: message.topic, origin: message.origin, made: make(message) };
    return last.made;
  };
}

/** True if both origins produce the same topic levels. */
function isSame(one: Message['origin'], other: Message['origin']): boolean {
  if (one === other) return true;
  if (one.kind !== 'module') return other.kind !== 'module';
  return other.kind === 'module' && one.module === other.module && one.output === other.output;
}

/** True if the topic of messages from outside modules does not contain the device's name. */
export function keepsTopic(template: string): boolean {
  return !/\{(module|output|device)\}/.test(template);
}

function partsOf(template: string): readonly (string | Field)[] {
  return template
    .split(/(\{[a-z]+\})/)
    .filter(piece => piece !== '')
    .map(piece => FIELDS[piece] ?? piece);
}
