import type { Message } from '../core/message.ts';

/** What stands for a part of a topic in a template. */
type Field = (message: Message, device: string) => string;

const FIELDS: Readonly<Record<string, Field>> = {
  '{device}': (_, device) => device,
  '{module}': ({ origin }) => (origin.kind === 'module' ? origin.module : ''),
  '{output}': ({ origin }) => (origin.kind === 'module' ? origin.output : ''),
  '{topic}': ({ topic }) => topic,
};

/** For what comes from no output of a module: it has no name but its topic. */
const OTHERS = '{device}/{topic}';

/** The topic upstream of a message, by a template that was checked with the manifest. */
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
  /** Most messages have the topic and the sender of the one before. */
  let last: { readonly topic: string; readonly origin: Message['origin']; readonly made: string } | undefined;
  return message => {
    if (last === undefined || message.topic !== last.topic || !isSame(message.origin, last.origin))
      last = { topic: message.topic, origin: message.origin, made: make(message) };
    return last.made;
  };
}

/** Whether the two have the same names in a topic. */
function isSame(one: Message['origin'], other: Message['origin']): boolean {
  if (one === other) return true;
  if (one.kind !== 'module') return other.kind !== 'module';
  return other.kind === 'module' && one.module === other.module && one.output === other.output;
}

/** True if what comes from no output of a module goes up under a topic in which the device is not named. */
export function keepsTopic(template: string): boolean {
  return !/\{(module|output|device)\}/.test(template);
}

function partsOf(template: string): readonly (string | Field)[] {
  return template
    .split(/(\{[a-z]+\})/)
    .filter(piece => piece !== '')
    .map(piece => FIELDS[piece] ?? piece);
}
