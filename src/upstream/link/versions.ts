import { UNPRODUCTIVE_CONNECTIONS } from '../limits.ts';

/**
 * MQTT version of each address. A server without MQTT 5 may just close at CONNECT, but the network may cut at
 * that moment too. An address that has answered in MQTT 5 is therefore not downgraded at once, because MQTT
 * 3.1.1 would lose message properties and expiry.
 */
export type Versions = {
  /** Records that the server accepted this version. */
  readonly spoken: (address: string, version: 4 | 5) => void;
  /**
   * Records that the server closed without an answer to an MQTT 5 CONNECT. Returns true if 3.1.1 is tried
   * next.
   */
  readonly isOlder: (address: string) => boolean;
};

export function createVersions(): Versions {
  /** Consecutive unanswered CONNECTs of addresses that have answered in MQTT 5 before. */
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
