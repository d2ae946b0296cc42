import type { Message } from '../../core/message.ts';

/** Function that returns the value of a placeholder in a topic template. */
type Field = (message: Message, device: string) => string;

/** Placeholders of topic templates. */
const FIELDS: Readonly<Record<string, Field>> = {
  '{device}': (_, device) => device,
  '{module}': ({ origin }) => (origin.kind === 'module' ? origin.module : ''),
  '{output}': ({ origin }) => (origin.kind === 'module' ? origin.output : ''),
  '{topic}': ({ topic }) => topic,
};

/**
 * Template for messages that do not come from a module output. Used if the configured template contains
 * `{module}` or `{output}`.
 */
const OTHERS = '{device}/{topic}';

/** Creates a function that returns the topic on the server for a message. `template` must be valid. */
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
  /** Last result. Cached because most messages have the same topic and origin as the message before. */
  let last: { readonly topic: string; readonly origin: Message['origin']; readonly made: string } | undefined;
  return message => {
    if (last === undefined || message.topic !== last.topic || !isSame(message.origin, last.origin))
      last = { topic: message.topic, origin: message.origin, made: make(message) };
    return last.made;
  };
}

/** Returns true if both origins result in the same topic. */
function isSame(one: Message['origin'], other: Message['origin']): boolean {
  if (one === other) return true;
  if (one.kind !== 'module') return other.kind !== 'module';
  return other.kind === 'module' && one.module === other.module && one.output === other.output;
}

/** Returns true if no topic that is built from this template contains the device's name. */
export function keepsTopic(template: string): boolean {
  return !/\{(module|output|device)\}/.test(template);
}

function partsOf(template: string): readonly (string | Field)[] {
  return template
    .split(/(\{[a-z]+\})/)
    .filter(piece => piece !== '')
    .map(piece => FIELDS[piece] ?? piece);
}
