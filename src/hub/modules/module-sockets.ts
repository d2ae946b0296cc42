import { chmodSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Broker } from '../../broker/broker.ts';
import type { OpenListener } from '../../broker/listeners/settings.ts';
import { Failure } from '../../core/errors.ts';

/** Maximum bytes of a Unix socket's path, without the final NUL (unix(7)). */
const MAX_SOCKET_PATH_BYTES = 107;

/** Unix sockets of modules without a network. Only the module itself can reach its socket. */
export type ModuleSockets = {
  /**
   * Opens the socket of a module if necessary, and returns its path. Throws Failure `listener.in-use` or
   * `listener.refused`.
   */
  readonly open: (module: string) => Promise<string>;
  readonly close: (module: string) => Promise<void>;
};

/**
 * Creates the sockets in `runFolder`, which only the hub's user may enter. A sandbox shows its module the
 * folder of its own socket. The sockets are not listeners of the manifest; they close with the broker.
 */
export function createModuleSockets(runFolder: string, { listen }: Pick<Broker, 'listen'>): ModuleSockets {
  const opened = new Map<string, Promise<OpenListener>>();
  const fileOf = (module: string): string => join(runFolder, `m-${module}`, 'mqtt.sock');

  const listenFor = async (module: string): Promise<OpenListener> => {
    const folder = dirname(fileOf(module));
    if (Buffer.byteLength(fileOf(module)) > MAX_SOCKET_PATH_BYTES) {
      const sentence = `The socket of module "${module}" would be ${fileOf(module)}, and the system takes ${MAX_SOCKET_PATH_BYTES} bytes: name a shorter data folder with --data DIR.`;
      throw new Failure('listener.refused', sentence);
    }
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o711);
    return listen({ kind: 'unix', file: fileOf(module), mode: 0o666, module });
  };

  return {
    open: async module => {
      const listener = opened.get(module) ?? listenFor(module);
      opened.set(module, listener);
      await listener.catch((error: unknown) => {
        opened.delete(module);
        throw error;
      });
      return fileOf(module);
    },
    close: async module => {
      const listener = await opened.get(module);
      opened.delete(module);
      await listener?.close();
    },
  };
}
