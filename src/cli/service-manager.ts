import { nativeFunction } from '../supervisor/terminal/native-addon.ts';

/**
 * Tells the service manager that the hub is ready (sd_notify(3), `READY=1`), if it has started the hub and
 * waits for that: `NOTIFY_SOCKET` is the path of its socket. Returns false if it was not told.
 */
export async function notifyReady(): Promise<boolean> {
  const path = process.env['NOTIFY_SOCKET'];
  if (path === undefined || path === '') return false;
  const notify = await nativeFunction('notify');
  return notify?.(path, 'READY=1') === true;
}
