import type { UpstreamAddress, UpstreamTls } from '../../manifest/types.ts';
import type { Dial } from './dial.ts';
import { dialPlain } from './dial.ts';

/**
 * Creates a function that returns the dial function of an address. A dial function opens a connection. The
 * TLS code is loaded only for a TLS address.
 */
export function dialerOf(settings: {
  readonly tls: UpstreamTls | undefined;
  readonly home: string;
}): (address: UpstreamAddress) => Promise<Dial> {
  return async ({ secure }) => {
    if (!secure) return dialPlain;
    const { secureDial } = await import('./tls.ts');
    return secureDial(settings);
  };
}
