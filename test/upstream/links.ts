import type { Connack } from '../../src/mqtt/answers/connack.ts';
import type { Link } from '../../src/upstream/link/link.ts';

/** CONNACK of a server without limits. */
export const PLAIN_TERMS: Connack = {
  cmd: 'connack',
  sessionPresent: true,
  reasonCode: 0,
  reasonString: undefined,
  receiveMaximum: 65_535,
  maximumQoS: 2,
  retainAvailable: true,
  maximumPacketSize: undefined,
  serverKeepAlive: undefined,
};

/** Creates a link that records bodies and types of acknowledgements with their packet identifiers. */
export function recordingLink(): Pick<Link, 'publish' | 'acknowledge'> & {
  readonly sent: (readonly [string | number, number])[];
} {
  const sent: (readonly [string | number, number])[] = [];
  return {
    sent,
    publish: ({ body }, { packetId }) => {
      sent.push([body.toString(), packetId]);
      return 'sent';
    },
    acknowledge: (type, packetId) => {
      sent.push([type, packetId]);
    },
  };
}
