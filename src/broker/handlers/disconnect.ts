import type { Connection } from '../connection.ts';
import type { Fault } from './index.ts';

/** A deliberate end: the will is not published (MQTT 3.1.1, 3.14.4-3). */
export function handleDisconnect(connection: Connection): Fault {
  connection.will = undefined;
  connection.close(undefined);
  return undefined;
}
