import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, removeFolder, skerry, until } from '../harness/binary.ts';
import { runHub } from '../harness/skip.ts';

const notification = suite('e2e: readiness for a service manager');

/** Service manager that prints the datagrams it receives. Node has no datagrams on Unix sockets. */
const MANAGER = `
import socket, sys
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(sys.argv[1].replace("@", "\\0", 1) if sys.argv[1].startswith("@") else sys.argv[1])
print("bound", flush=True)
while True:
    print(manager.recv(4096).decode(), flush=True)
`;

const MANIFEST = {
  name: 'edge',
  listeners: [],
};

/** Runs a hub and a service manager with the socket `address`. Returns what the hub reported to it. */
async function readiness(address: string): Promise<string[]> {
  const folder = folderWith({ 'manager.py': MANAGER, 'manifest.json': JSON.stringify(MANIFEST) });
  const socket = address.replace('FOLDER', folder);
  const manager = spawn('python3', [join(folder, 'manager.py'), socket]);
  let received = '';
  manager.stdout.setEncoding('utf8').on('data', (text: string) => {
    received += text;
  });
  try {
    await until('the manager listens', () => received.includes('bound'));
    const up = [skerry, 'up', join(folder, 'manifest.json'), '--data', join(folder, 'data')];
    await runHub(up, { ...process.env, NOTIFY_SOCKET: socket }, () =>
      until('the manager is told', () => received.includes('READY=1')),
    );
    return received.trim().split('\n').slice(1);
  } finally {
    manager.kill('SIGKILL');
    removeFolder(folder);
  }
}

notification('a hub that listens reports READY=1 to the socket of NOTIFY_SOCKET', async () => {
  assert.equal(await readiness('FOLDER/notify'), ['READY=1']);
});

notification('a hub reports READY=1 to an abstract socket', async () => {
  const name = `skerry-${process.pid}`;
  assert.equal(await readiness(`@${name}`), ['READY=1']);
});

notification.run();
