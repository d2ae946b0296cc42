import { Failure } from '../../core/errors.ts';
import type { Message, OnDurable, Origin } from '../../core/message.ts';
import type { DeadLetter, Store, WaitingEntry } from '../../queue/types.ts';
import { upstreamSource } from '../../routes/sources.ts';

/** Maximum number of queue entries in one control reply. */
export const MAX_PEEKED = 1000;

/** Maximum bytes of a message body in a control reply. */
const MAX_SHOWN_BODY = 1024;

/** Printable form of a message. A body that is not UTF-8 text is encoded in base64. */
export type ShownMessage = {
  readonly topic: string;
  readonly from: string;
  /** User properties as alternating names and values. */
  readonly properties: readonly string[];
  readonly contentType: string | undefined;
  /** Size of the whole body in bytes. */
  readonly bytes: number;
  /** First bytes of the body, at most MAX_SHOWN_BODY, as text or in base64. */
  readonly body: string;
};

export type ShownWaiting = Omit<WaitingEntry, 'message'> & { readonly message: ShownMessage | undefined };
export type ShownLetter = Omit<DeadLetter, 'message'> & { readonly message: ShownMessage | undefined };

export type QueueControl = {
  readonly peek: (queue: string, limit: number) => ShownWaiting[];
  /** Drops one entry of a queue. Throws Failure `queue.unknown` or `entry.unknown`. */
  readonly drop: (queue: string, sequence: number) => Promise<void>;
  /** Drops all entries of a queue that are not in flight. Resolves to the number of dropped entries. */
  readonly dropAll: (queue: string) => Promise<number>;
  readonly letters: () => ShownLetter[];
  /**
   * Appends the message of a dead letter to its former queue again, and deletes the dead letter. Throws
   * Failure `letter.unknown`, `letter.damaged` or `store.full`.
   */
  readonly replay: (id: string) => Promise<void>;
  readonly forget: (id: string) => Promise<void>;
};

/** Creates the operator's actions on the queues of a running hub. */
export function controlQueues(store: Store): QueueControl {
  const known = (queue: string): void => {
    if (store.stats().some(({ queue: name }) => name === queue)) return;
    throw new Failure('queue.unknown', `There is no queue "${queue}": "skerry queue" lists them.`);
  };

  /**
   * Drops one batch of entries, except entries that are in flight. Resolves to the number of dropped entries.
   */
  const dropBatch = async (queue: string): Promise<number> => {
    const results = await Promise.allSettled(
      store
        .peek(queue, MAX_PEEKED)
        .map(({ sequence }) => settled(settle => store.drop(queue, sequence, settle))),
    );
    return results.filter(({ status }) => status === 'fulfilled').length;
  };

  return {
    peek: (queue, limit) => {
      known(queue);
      return store.peek(queue, Math.min(limit, MAX_PEEKED)).map(shown);
    },
    drop: async (queue, sequence) => {
      known(queue);
      await settled(settle => store.drop(queue, sequence, settle));
    },
    dropAll: async queue => {
      known(queue);
      let count = 0;
      for (let batch = await dropBatch(queue); batch > 0; batch = await dropBatch(queue)) count += batch;
      return count;
    },
    letters: () => store.deadLetters.list().map(shown),
    replay: id => settled(settle => store.deadLetters.replay(id, settle)),
    forget: id => settled(settle => store.deadLetters.drop(id, settle)),
  };
}

function settled(begin: (settle: OnDurable) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    begin(error => (error === undefined ? resolve() : reject(error)));
  });
}

function shown<Item extends { readonly message: Message | undefined }>(
  item: Item,
): Omit<Item, 'message'> & { readonly message: ShownMessage | undefined } {
  return { ...item, message: item.message && shownMessage(item.message) };
}

/** Converts a message to its printable form. */
export function shownMessage({ topic, origin, properties, contentType, body }: Message): ShownMessage {
  return { topic, from: senderOf(origin), properties, contentType, bytes: body.length, body: textOf(body) };
}

function senderOf(origin: Origin): string {
  switch (origin.kind) {
    case 'module':
      return `${origin.module}/${origin.output}`;
    case 'client':
      return origin.client;
    case 'upstream':
      return upstreamSource(origin.upstream);
  }
}

function textOf(body: Buffer): string {
  const beginning = body.subarray(0, MAX_SHOWN_BODY);
  const text = beginning.toString();
  // The last character is not checked, because the truncation can split it. Any other invalid character means
  // that the body is not UTF-8 text.
  return text.slice(0, -1).includes('\ufffd') ? beginning.toString('base64') : text;
}
