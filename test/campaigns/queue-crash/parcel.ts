import type { Message } from '../../../src/core/message.ts';
import { PLAIN } from '../../../src/core/message.ts';

/** Destination of a message of the load. */
export type Stop = { readonly queue: string; readonly priority: number };

/** A message of the load that tells by itself which one it is and where it belongs. */
export type Parcel = { readonly number: number; readonly stops: readonly Stop[] };

/** A message of about `length` bytes whose every byte can be told from its number. */
export function messageOf(parcel: Parcel, length: number): Message {
  return {
    topic: `load/${parcel.number}`,
    body: bodyOf(parcel, length),
    ...PLAIN,
    qos: 1,
    origin: { kind: 'client', client: 'load' },
  };
}

/** Parcel of a message. Undefined if it is not identical byte for byte. */
export function parcelIn(message: Message | undefined): Parcel | undefined {
  if (message === undefined) return undefined;
  const [number, length, stops] = message.body.toString('latin1').split(' ', 3);
  if (number === undefined || length === undefined || stops === undefined) return undefined;
  const parcel = { number: Number(number), stops: stopsIn(stops) };
  return message.body.equals(bodyOf(parcel, Number(length))) ? parcel : undefined;
}

function bodyOf({ number, stops }: Parcel, length: number): Buffer {
  const head = Buffer.from(`${number} ${length} ${stopsText(stops)} `);
  return Buffer.concat([head, Buffer.alloc(length, String.fromCharCode(97 + (number % 26)))]);
}

/** As `a:0,b:9`. */
export function stopsText(stops: readonly Stop[]): string {
  return stops.map(({ queue, priority }) => `${queue}:${priority}`).join(',');
}

export function stopsIn(text: string): Stop[] {
  return text.split(',').map(stop => {
    const [queue = '', priority] = stop.split(':');
    return { queue, priority: Number(priority) };
  });
}
