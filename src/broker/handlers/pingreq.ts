import { encodePingresp } from '../../mqtt/packets.ts';
import type { Connection } from '../connection/connection.ts';

/** Handles PINGREQ [MQTT-3.12.4-1]. */
export function handlePingreq(connection: Connection): undefined {
  connection.send(encodePingresp());
}
