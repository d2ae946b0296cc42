import { MAX_HOPS } from './limits.ts';
import type { Message, Properties } from './message.ts';

/*
 * A hub that forwards a message to its parent hub states the origin of the message in user properties whose
 * names begin with `$`. Any client can set these properties, so the receiver must not trust them.
 */
const DEVICE = '$childDevice';
const MODULE = '$childModule';
const OUTPUT = '$childOutput';
const TOPIC = '$childTopic';

/** Names of DEVICE, MODULE, OUTPUT and TOPIC without their first character `$`. */
export const CHILD_PROPERTIES: readonly string[] = [DEVICE, MODULE, OUTPUT, TOPIC].map(name => name.slice(1));

/** Device names separated by slashes, from the nearest hub to the hub of origin. */
const DEVICES = /^[A-Za-z0-9_-]{1,64}(?:\/[A-Za-z0-9_-]{1,64})*$/;

/** Origin of a message from a child hub, as the sender states it. */
export type ChildSource = {
  /** Device names from the nearest hub to the hub of origin. Never contains an empty name. */
  readonly devices: readonly string[];
  /** Name of the module that published the message. Undefined if a client published it. */
  readonly module: string | undefined;
  /** Output of the module. Undefined if the message was published to a topic. */
  readonly output: string | undefined;
  /** Topic on the hub of origin. Undefined if the message was published to an output. */
  readonly topic: string | undefined;
};

/**
 * Reads the origin from the properties of a message. Undefined if the message is not from a child hub. If a
 * property occurs several times, the last value is used.
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
 * Returns the user properties with which the hub `device` forwards `message` to its parent hub. If the
 * message already has a path of devices, `device` is put in front of the path. So a client of this hub cannot
 * set a path that consists of `device` alone, which marks messages of the hub itself. Undefined if the
 * message must not be forwarded, because it has passed MAX_HOPS hubs.
 */
export function propertiesForParent(
  { origin, properties, topic }: Pick<Message, 'origin' | 'properties' | 'topic'>,
  device: string,
): Properties | undefined {
  const kept: string[] = [];
  for (let at = 0; at + 1 < properties.length; at += 2) {
    const [name = '', text = ''] = [properties[at], properties[at + 1]];
    if (!isChildProperty(name)) kept.push(name, text);
  }
  if (origin.kind === 'module') {
    const from = origin.output === '' ? [TOPIC, topic] : [OUTPUT, origin.output];
    return kept.concat(DEVICE, device, MODULE, origin.module, from);
  }
  const source = childSourceOf(properties);
  if (source === undefined) return kept.concat(DEVICE, device, TOPIC, topic);
  if (source.devices.length >= MAX_HOPS) return undefined;
  kept.push(DEVICE, [device, ...source.devices].join('/'));
  if (source.module !== undefined) kept.push(MODULE, source.module);
  if (source.output !== undefined) kept.push(OUTPUT, source.output);
  if (source.topic !== undefined) kept.push(TOPIC, source.topic);
  return kept;
}

/**
 * Returns the user properties with which the hub `device` forwards `message` to a server that is possibly no
 * hub. Child properties (the user properties with the path of devices and the hop count) are replaced as in
 * propertiesForParent, because a hub behind the server would trust child properties that a client has set.
 * For a message without child properties, the hop count is incremented if the message keeps its topic.
 * Undefined if the message must not be forwarded, because it has passed MAX_HOPS hubs.
 */
export function propertiesForServer(
  message: Pick<Message, 'origin' | 'properties' | 'topic'>,
  device: string,
  keepsTopic: boolean,
): Properties | undefined {
  const { properties, origin } = message;
  for (let at = 0; at < properties.length; at += 2)
    if (isChildProperty(properties[at] ?? '')) return propertiesForParent(message, device);
  // A message of a module was published on this hub and has passed no other hub.
  return keepsTopic && origin.kind !== 'module' ? withHop(properties) : properties;
}

/** User property with the number of hubs that a message has passed. */
const HOPS = '$hops';

/**
 * Increments the hop count in the properties of a message. The count ends a forwarding loop of hubs that keep
 * the topic. Undefined if the message must not be forwarded, because it has passed MAX_HOPS hubs.
 */
export function withHop(properties: Properties): Properties | undefined {
  const kept: string[] = [];
  let hops = 0;
  for (let at = 0; at + 1 < properties.length; at += 2) {
    const [name = '', text = ''] = [properties[at], properties[at + 1]];
    if (name !== HOPS) kept.push(name, text);
    else if (/^\d{1,4}$/.test(text)) hops = Math.max(hops, Number(text));
  }
  return hops >= MAX_HOPS ? undefined : kept.concat(HOPS, String(hops + 1));
}

function isChildProperty(name: string): boolean {
  return name === DEVICE || name === MODULE || name === OUTPUT || name === TOPIC;
}
