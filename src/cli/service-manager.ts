import { nativeFunction } from '../supervisor/terminal/native-addon.ts';

/**
 * Tells the service manager at the Unix socket `path` that the hub is ready (sd_notify(3), `READY=1`).
 * Returns false if the message was not sent.
 */
export async function notifyReady(path: string): Promise<boolean> {
  const notify = await nativeFunction('notify');
  return notify?.(path, 'READY=1') === true;
}
