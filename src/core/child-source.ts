import { MAX_HOPS } from './limits.ts';
import type { Message, Properties } from './message.ts';

/*
 * Origin that a hub states to the hub above it: user properties whose names begin with `$`, as all have that
 * MQTT has no place for. They are what the sender says, never what its receiver knows: any client can write
 * them.
 */
const DEVICE = '$childDevice';
const MODULE = '$childModule';
const OUTPUT = '$childOutput';
const TOPIC = '$childTopic';

/** Their names as routes know them, without the `$`. */
export const CHILD_PROPERTIES: readonly string[] = [DEVICE, MODULE, OUTPUT, TOPIC].map(name => name.slice(1));

/** Names of devices, the hub that sent it first and the one where it began last, with a slash between two. */
const DEVICES = /^[A-Za-z0-9_-]{1,64}(?:\/[A-Za-z0-9_-]{1,64})*$/;

/** Origin of a message from a hub below, as its sender states it. */
export type ChildSource = {
  /** The hub that sent it first, the one where it began last; no name is empty. */
  readonly devices: readonly string[];
  /** Undefined if it is not from a module. */
  readonly module: string | undefined;
  /** Undefined if it is not from an output of a module. */
  readonly output: string | undefined;
  /** Topic that it was published on there. Undefined if that is the topic of the output. */
  readonly topic: string | undefined;
};

/**
 * Origin of a message by its properties. Undefined if they are not those of a hub. If a name repeats, the
 * last value counts.
 */
export function childSourceOf(properties: Properties): ChildSource | undefined {
  let path: string | undefined;
  let module: string | undefined;
  let output: string | undefined;
  let topic: string | undefined;
  for (let at = 0; at + 1 < properties.length; at += 2) {
    const text = properties[at + 1];
    switch (properties[at]) {
      case DEVICE:
        path = text;
        break;
      case MODULE:
        module = text;
        break;
      case OUTPUT:
        output = text;
        break;
      case TOPIC:
        topic = text;
        break;
      default:
    }
  }
  if (path === undefined || !DEVICES.test(path)) return undefined;
  return { devices: path.split('/'), module, output, topic };
}

/**
 * Properties of `message` on its way from the hub `device` to its parent hub. A path that the sender states
 * is prefixed with this hub's name, so that a path of this name alone is always set by this hub. Undefined if
 * the message has passed MAX_HOPS hubs and must not be forwarded.
 */
export function propertiesForParent(
  { origin, properties, topic }: Pick<Message, 'origin' | 'properties' | 'topic'>,
  device: string,
): Properties | undefined {
  const left: string[] = [];
  for (let at = 0; at + 1 < properties.length; at += 2) {
    const [name = '', text = ''] = [properties[at], properties[at + 1]];
    if (!isChildProperty(name)) left.push(name, text);
  }
  if (origin.kind === 'module') {
    const from = origin.output === '' ? [TOPIC, topic] : [OUTPUT, origin.output];
    return left.concat(DEVICE, device, MODULE, origin.module, from);
  }
  const beneath = childSourceOf(properties);
  if (beneath === undefined) return left.concat(DEVICE, device, TOPIC, topic);
  if (beneath.devices.length >= MAX_HOPS) return undefined;
  left.push(DEVICE, [device, ...beneath.devices].join('/'));
  if (beneath.module !== undefined) left.push(MODULE, beneath.module);
  if (beneath.output !== undefined) left.push(OUTPUT, beneath.output);
  if (beneath.topic !== undefined) left.push(TOPIC, beneath.topic);
  return left;
}

/**
 * Properties of `message` on its way from the hub `device` to a server that may not be a hub. They are
 * unchanged unless they contain child properties, which a hub above must not mistake for this hub's. With
 * `keepsTopic` the hops of a client's message are counted.
 */
export function propertiesForServer(
  message: Pick<Message, 'origin' | 'properties' | 'topic'>,
  device: string,
  keepsTopic: boolean,
): Properties | undefined {
  const { properties, origin } = message;
  for (let at = 0; at < properties.length; at += 2)
    if (isChildProperty(properties[at] ?? '')) return propertiesForParent(message, device);
  // A message of a module has passed no hub yet.
  return keepsTopic && origin.kind !== 'module' ? withHop(properties) : properties;
}

/** User property that counts hubs, for servers that need not be hubs. */
const HOPS = '$hops';

/**
 * Properties of a message with one more hop, so that a loop of two hubs that keep topics ends. Undefined if
 * the message has passed MAX_HOPS hubs and must not be forwarded.
 */
export function withHop(properties: Properties): Properties | undefined {
  const left: string[] = [];
  let hops = 0;
  for (let at = 0; at + 1 < properties.length; at += 2) {
    const [name = '', text = ''] = [properties[at], properties[at + 1]];
    if (name !== HOPS) left.push(name, text);
    else if (/^\d{1,4}$/.test(text)) hops = Math.max(hops, Number(text));
  }
  return hops >= MAX_HOPS ? undefined : left.concat(HOPS, String(hops + 1));
}

function isChildProperty(name: string): boolean {
  return name === DEVICE || name === MODULE || name === OUTPUT || name === TOPIC;
}
