import type { Connection } from '../connection.ts';
import type { Fault } from './index.ts';

/** MQTT 3.1.1, 3.12.4-1. */
export function handlePingreq(connection: Connection): Fault {
  connection.send({ cmd: 'pingresp' });
  return undefined;
}
