import { UNPRODUCTIVE_CONNECTIONS } from './limits.ts';

/**
 * Which version of MQTT an address is spoken to in. One that does not know MQTT 5 may just leave when it is greeted so, and
 * a network may cut at that moment, too: one that has answered in MQTT 5 is not taken for an older one at once, for with
 * MQTT 3.1.1 the properties of messages and their time to live would stay behind.
 */
export type Versions = {
  /** It has taken the client in with this version. */
  readonly spoken: (address: string, version: 4 | 5) => void;
  /** It was greeted in MQTT 5 and left without a word: whether it is asked in 3.1.1 next. */
  readonly isOlder: (address: string) => boolean;
};

export function createVersions(): Versions {
  /** Times in a row that an address left which had answered in MQTT 5. */
  const silences = new Map<string, number>();
  return {
    spoken: (address, version) => {
      if (version === 5) silences.set(address, 0);
    },
    isOlder: address => {
      const before = silences.get(address);
      if (before === undefined) return true;
      silences.set(address, before + 1);
      if (before + 1 < UNPRODUCTIVE_CONNECTIONS) return false;
      silences.delete(address);
      return true;
    },
  };
}
