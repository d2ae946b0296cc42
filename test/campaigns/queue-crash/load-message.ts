import type { Message } from '../../../src/core/message.ts';
import { PLAIN } from '../../../src/core/message.ts';

/** Destination of a message of the load. */
export type LoadDestination = { readonly queue: string; readonly priority: number };

/** Number and destinations of a message, which are encoded in its body. */
export type LoadMessage = { readonly number: number; readonly destinations: readonly LoadDestination[] };

/** Creates a message of about `length` bytes, all of which depend on its number. */
export function messageOf(loadMessage: LoadMessage, length: number): Message {
  return {
    topic: `load/${loadMessage.number}`,
    body: bodyOf(loadMessage, length),
    ...PLAIN,
    qos: 1,
    origin: { kind: 'client', client: 'load' },
  };
}

/** Parcel of a message. Undefined if it is not identical byte for byte. */
export function loadMessageIn(message: Message | undefined): LoadMessage | undefined {
  if (message === undefined) return undefined;
  const [number, length, destinations] = message.body.toString('latin1').split(' ', 3);
  if (number === undefined || length === undefined || destinations === undefined) return undefined;
  const loadMessage = { number: Number(number), destinations: parseDestinations(destinations) };
  return message.body.equals(bodyOf(loadMessage, Number(length))) ? loadMessage : undefined;
}

function bodyOf({ number, destinations }: LoadMessage, length: number): Buffer {
  const head = Buffer.from(`${number} ${length} ${formatDestinations(destinations)} `);
  return Buffer.concat([head, Buffer.alloc(length, String.fromCharCode(97 + (number % 26)))]);
}

/** Formats destinations, for example as `a:0,b:9`. */
export function formatDestinations(destinations: readonly LoadDestination[]): string {
  return destinations.map(({ queue, priority }) => `${queue}:${priority}`).join(',');
}

export function parseDestinations(text: string): LoadDestination[] {
  return text.split(',').map(stop => {
    const [queue = '', priority] = stop.split(':');
    return { queue, priority: Number(priority) };
  });
}
