import { chmodSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Broker } from '../../broker/broker.ts';
import type { OpenListener } from '../../broker/listeners/settings.ts';
import { Failure } from '../../core/errors.ts';

/** Maximum bytes of a Unix socket's path, without the final NUL (unix(7)). */
const MAX_SOCKET_PATH_BYTES = 107;

/**
 * Unix sockets through which modules without a network connect to the broker. Each module can access only its
 * own socket.
 */
export type ModuleSockets = {
  /**
   * Returns the path of a module's socket. Opens the socket if it is not open. Throws Failure
   * `listener.in-use` or `listener.refused`.
   */
  readonly open: (module: string) => Promise<string>;
  readonly close: (module: string) => Promise<void>;
};

/**
 * Creates the sockets in `runFolder`. Only the hub's user can enter this folder. The sandbox of a module
 * contains only the folder of the module's own socket. The sockets are not listeners of the manifest. They
 * are closed when the broker closes.
 */
export function createModuleSockets(runFolder: string, { listen }: Pick<Broker, 'listen'>): ModuleSockets {
  const opened = new Map<string, Promise<OpenListener>>();
  const fileOf = (module: string): string => join(runFolder, `m-${module}`, 'mqtt.sock');

  const listenFor = async (module: string): Promise<OpenListener> => {
    const folder = dirname(fileOf(module));
    if (Buffer.byteLength(fileOf(module)) > MAX_SOCKET_PATH_BYTES) {
      const sentence = `The socket path of module "${module}" is longer than ${MAX_SOCKET_PATH_BYTES} bytes (${fileOf(module)}): choose a data folder with a shorter path with --data DIR.`;
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
