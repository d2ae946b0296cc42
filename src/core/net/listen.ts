import { once } from 'node:events';
import type { ListenOptions, Server } from 'node:net';
import { systemCode } from '../errors.ts';
import { MAX_PORT_RETRIES, PORT_RETRY_MS } from '../limits.ts';

/**
 * Listens with `server` on an address. Returns undefined if the server listens, otherwise the error. If the
 * address is in use, retries for half a second, because a child process of a killed hub can hold the socket
 * until the child calls execve. `pause` waits the given milliseconds between two attempts. Without `pause`
 * there is one attempt.
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
