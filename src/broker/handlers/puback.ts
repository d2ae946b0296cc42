import type { Connection } from '../connection.ts';
import type { Fault } from './index.ts';

/** The receiver has a QoS 1 message for good (MQTT 3.1.1, 3.4). */
export function handlePuback(connection: Connection, packetId: number): Fault {
  connection.delivery.acknowledge(packetId);
  return undefined;
}
