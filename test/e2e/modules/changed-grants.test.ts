import { randomBytes } from 'node:crypto';
import mqtt from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hashPassword } from '../../../src/crypto/passwords.ts';
import { folderWith, freePort, removeFolder, startHub, until } from '../../harness/binary.ts';
import { enter } from '../../harness/clients/listeners.ts';

const regrant = suite('e2e: changed grants');

regrant('a persistent session receives no message on a topic whose grant was removed', async () => {
  const port = await freePort();
  const random = { fraction: () => 0, bytes: (count: number) => randomBytes(count) };
  const password = await hashPassword(Buffer.from('secret'), random);
  const manifest = (subscribe: readonly string[]): string => {
    const users = { u: { password, publish: ['#'], subscribe } };
    return JSON.stringify({ name: 'hub', listeners: [{ mqtt: `127.0.0.1:${port}` }], users });
  };
  const folder = folderWith({ 'wide.json': manifest(['a', 'b']), 'narrow.json': manifest(['b']) });
  const options = { clientId: 'reader', clean: false, username: 'u', password: 'secret' };
  const first = await startHub(folder, 'wide.json', 'data');
  const reader = await enter(`mqtt://127.0.0.1:${port}`, options);
  await reader.subscribeAsync(['a', 'b'], { qos: 1 });
  await reader.endAsync();
  await first.end('SIGTERM');

  const second = await startHub(folder, 'narrow.json', 'data');
  const sender = await enter(`mqtt://127.0.0.1:${port}`, { ...options, clientId: 'sender', clean: true });
  for (const topic of ['a', 'b']) await sender.publishAsync(topic, 'x', { qos: 1 });
  await sender.endAsync();
  const received: string[] = [];
  const again = mqtt.connect(`mqtt://127.0.0.1:${port}`, options);
  again.on('message', topic => received.push(topic));
  await until('the waiting message has arrived', () => received.includes('b'));
  assert.equal(received, ['b']);
  await again.endAsync();
  await second.end('SIGTERM');
  removeFolder(folder);
});

regrant.run();
