import type { UpstreamAddress } from '../../manifest/types.ts';
import type { ForwarderSettings } from '../settings.ts';
import type { Dial } from './dial.ts';
import { dialPlain } from './dial.ts';

/** Dial functions for the addresses of an upstream. TLS is loaded with the first address that needs it. */
export function dialerOf(
  settings: Pick<ForwarderSettings, 'tls' | 'home' | 'clock'>,
): (place: UpstreamAddress) => Promise<Dial> {
  return async ({ secure }) => {
    if (!secure) return dialPlain;
    const { secureDial } = await import('./tls.ts');
    return secureDial(settings);
  };
}
