import mqtt from 'mqtt';
import { TOPIC } from '../broker/client.ts';
import { isMark, MARK } from './marks.ts';

/*
 * loop.ts <port> <messages> <window>
 *
 * Publishes messages from memory with mqtt.js, `window` at a time, as a simple self-written program would do.
 */
const [port = 0, messages = 1, window = 1] = process.argv.slice(2).map(Number);
const payload = Buffer.alloc(256, 1);
const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { clientId: 'loop' });
let sent = 0;
let acknowledged = 0;
await new Promise<void>((done, fail) => {
  const next = (): void => {
    if (sent === messages) return;
    client.publish(isMark(sent++) ? MARK : TOPIC, payload, { qos: 1 }, error => {
      if (error) fail(error);
      if (++acknowledged === messages) done();
      next();
    });
  };
  for (let n = 0; n < window; n++) next();
});
await client.endAsync();
