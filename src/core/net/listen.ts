import { once } from 'node:events';
import type { ListenOptions, Server } from 'node:net';
import { systemCode } from '../errors.ts';
import { MAX_PORT_RETRIES, PORT_RETRY_MS } from '../limits.ts';

/**
 * Lets `server` listen. An address that is in use is tried for half a second, with `pause` (milliseconds)
 * between two tries: what a hub that was killed had just begun to spawn holds its addresses until it is
 * another program. Undefined: it listens.
 */
export async function listenWithRetry(
  server: Server,
  address: ListenOptions,
  pause: ((milliseconds: number) => Promise<void>) | undefined,
): Promise<Error | undefined> {
  for (let left = pause === undefined ? 0 : MAX_PORT_RETRIES; ; left--) {
    server.listen(address);
    try {
      await once(server, 'listening');
      return undefined;
    } catch (thrown) {
      if (!(thrown instanceof Error)) throw thrown;
      if (left === 0 || systemCode(thrown) !== 'EADDRINUSE') return thrown;
    }
    await pause?.(PORT_RETRY_MS);
  }
}
