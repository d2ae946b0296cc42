import { UNPRODUCTIVE_CONNECTIONS } from '../limits.ts';

/**
 * Downgrade from MQTT 5 to 3.1.1, by address. A server without MQTT 5 may close the connection at CONNECT,
 * but the network may fail at that moment too. An address that has accepted MQTT 5 before is therefore
 * downgraded only after several closes at CONNECT in a row, because MQTT 3.1.1 has no message properties and
 * no expiry.
 */
export type Versions = {
  /** Records that the server has accepted a CONNECT with this version. */
  readonly spoken: (address: string, version: 4 | 5) => void;
  /** Records that the server closed at an MQTT 5 CONNECT. Returns true if MQTT 3.1.1 must be tried next. */
  readonly isOlder: (address: string) => boolean;
};

export function createVersions(): Versions {
  /** Number of consecutive unanswered CONNECTs, only of addresses that have accepted MQTT 5 before. */
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
