import { once } from 'node:events';
import type { ListenOptions, Server } from 'node:net';
import { systemCode } from '../errors.ts';
import { MAX_PORT_RETRIES, PORT_RETRY_MS } from '../limits.ts';

/**
 * Listens with `server` on an address. If the address is in use, retries for half a second and waits with
 * `pause` (milliseconds) between two attempts, because a killed hub may have forked a child that holds the
 * socket until the child calls execve. Returns the error. Undefined if the server listens.
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
