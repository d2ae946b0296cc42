import { nativeFunction } from '../supervisor/terminal/native-addon.ts';

/**
 * Notifies the service manager that the hub is ready: sends `READY=1` to the socket `NOTIFY_SOCKET`
 * (sd_notify(3)). Returns false if the variable is not set or the notification fails.
 */
export async function notifyReady(): Promise<boolean> {
  const path = process.env['NOTIFY_SOCKET'];
  if (path === undefined || path === '') return false;
  const notify = await nativeFunction('notify');
  return notify?.(path, 'READY=1') === true;
}
