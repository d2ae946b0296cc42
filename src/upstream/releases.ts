import type { OnDurable } from '../core/message.ts';
import { packetIdOf } from '../mqtt/inflight.ts';

/** What is kept on disk of messages at QoS 2 that the upstream has, until it knows that the hub knows. */
export type ReleaseStore = {
  /** Packet identifiers and the sequences that they stand for, in the order of the messages. */
  readonly load: () => [packetId: number, sequence: number][];
  readonly keep: (packetId: number, sequence: number) => void;
  readonly forget: (packetId: number) => void;
  /** Sequences of messages that went out and were not answered. */
  readonly loadUnanswered: () => readonly number[];
  readonly keepUnanswered: (sequences: readonly number[]) => void;
  /** Sequences of the first messages of the queue, so many of each priority. */
  readonly first: (count: number) => readonly number[];
};

/** Packet identifiers for which PUBREC came and PUBCOMP did not (MQTT 5, 4.3.3), over connections and restarts. */
export type Releases = {
  readonly all: () => Iterable<number>;
  /** A message goes out under an identifier; `answered`: the upstream said what became of it. */
  readonly published: (packetId: number, sequence: number) => void;
  readonly answered: (packetId: number) => void;
  /**
   * True: another message went out under the identifier, or may have before the hub was killed, and left its queue by its
   * age before there was an answer. The upstream may have it, and would take a new one for it: it is to be released first.
   */
  readonly isStale: (packetId: number, sequence: number) => boolean;
  /** The sequence that an identifier stands for. */
  readonly sequenceOf: (packetId: number) => number | undefined;
  /** The upstream has the message, and `acknowledge` takes it out of its queue. */
  readonly received: (packetId: number, sequence: number, acknowledge: (settle: OnDurable) => void) => void;
  /** From now on it is this link that hears when both are on disk. */
  readonly listen: (kept: (packetId: number) => void) => void;
  /** True: it is on disk that the upstream has the message. */
  readonly isKept: (packetId: number) => boolean;
  /** Count of identifiers whose PUBREL must still wait for the disk. */
  readonly unsent: () => number;
  readonly completed: (packetId: number) => void;
  /** The link is over: what was not answered is noted. */
  readonly suspend: () => void;
  /** The upstream has forgotten the session. */
  readonly forgetAll: () => void;
};

/** `window`: how many messages may have been on their way when the hub ended; 0: at QoS 2, none. */
export function openReleases(store: ReleaseStore, window: number): Releases {
  const released = new Map<number, { readonly sequence: number; kept: boolean }>();
  for (const [packetId, sequence] of store.load()) released.set(packetId, { sequence, kept: true });

  /** What is not answered, by identifier: no more than there are. */
  const unanswered = new Map<number, number>();
  let noted = '';

  const suspend = (): void => {
    const sequences = [...unanswered.values()];
    if (sequences.join() === noted) return;
    noted = sequences.join();
    store.keepUnanswered(sequences);
  };
  const remember = (sequences: readonly number[]): void => {
    for (const sequence of sequences) unanswered.set(packetIdOf(sequence), sequence);
  };

  if (window > 0) {
    remember(store.loadUnanswered());
    noted = [...unanswered.values()].join();
    // A hub that was killed could not note what was on its way. That is still first in its queue, until its time is over.
    remember(store.first(window));
    suspend();
  }

  let heard: (packetId: number) => void = () => {};

  const completed = (packetId: number): void => {
    unanswered.delete(packetId);
    if (released.delete(packetId)) store.forget(packetId);
  };

  return {
    published: (packetId, sequence) => {
      unanswered.set(packetId, sequence);
    },
    answered: packetId => {
      unanswered.delete(packetId);
    },
    isStale: (packetId, sequence) => (unanswered.get(packetId) ?? sequence) !== sequence,
    all: () => released.keys(),
    sequenceOf: packetId => released.get(packetId)?.sequence,
    received: (packetId, sequence, acknowledge) => {
      const one = { sequence, kept: false };
      released.set(packetId, one);
      store.keep(packetId, sequence);
      acknowledge(error => {
        if (error !== undefined || released.get(packetId) !== one) return;
        one.kept = true;
        heard(packetId);
      });
    },
    listen: kept => {
      heard = kept;
    },
    isKept: packetId => released.get(packetId)?.kept === true,
    unsent: () => Array.from(released.values()).filter(({ kept }) => !kept).length,
    completed,
    suspend,
    forgetAll: () => {
      unanswered.clear();
      suspend();
      for (const packetId of [...released.keys()]) completed(packetId);
    },
  };
}
