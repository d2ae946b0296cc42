import { UNPRODUCTIVE_CONNECTIONS } from '../limits.ts';

/**
 * Downgrade from MQTT 5 to 3.1.1, decided for each address. Some servers without MQTT 5 close the connection
 * when they receive CONNECT. A network failure at that moment looks the same. If an address has accepted MQTT
 * 5 before, the hub therefore downgrades only after several such closes in a row. A wrong downgrade loses
 * message properties and expiry, because MQTT 3.1.1 has neither.
 */
export type Versions = {
  /** Records that the server has accepted a CONNECT with this version. */
  readonly spoken: (address: string, version: 4 | 5) => void;
  /**
   * Records that the server closed the connection after an MQTT 5 CONNECT. Returns true if the hub must try
   * MQTT 3.1.1 next.
   */
  readonly isOlder: (address: string) => boolean;
};

export function createVersions(): Versions {
  /**
   * Number of consecutive unanswered CONNECTs by address. Contains only addresses that have accepted MQTT 5
   * before.
   */
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
