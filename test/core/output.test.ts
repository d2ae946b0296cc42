import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_SOCKET_BACKLOG_BYTES, MIN_SOCKET_BACKLOG_BYTES } from '../../src/core/limits.ts';
import { createOutput } from '../../src/core/net/output.ts';
import { createSocketMemory } from '../../src/core/net/socket-memory.ts';

const outputs = suite('core: output of a socket');

/** Bytes of one message: more than the backlog of a socket, and less than the system accepts at once. */
const LARGE = MAX_SOCKET_BACKLOG_BYTES + 10;

outputs(
  'a full output calls its drain callback also if the system accepts all bytes in one write',
  async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('The server has no port.');
    const reader = connect(address.port, '127.0.0.1');
    const [socket] = await once(server, 'connection');
    let received = 0;
    reader.on('data', bytes => {
      received += bytes.length;
    });
    let drained = Promise.withResolvers<void>();
    socket.on('drain', () => drained.resolve());
    for (let round = 0; round < 20; round++) {
      drained = Promise.withResolvers<void>();
      const memory = createSocketMemory(8 * MAX_SOCKET_BACKLOG_BYTES);
      const output = createOutput(socket, memory, drained.resolve);
      output.write(Buffer.alloc(LARGE));
      assert.ok(output.isFull());
      await drained.promise;
    }
    while (received < 20 * LARGE) await once(reader, 'data');
    reader.destroy();
    server.close();
  },
);

/** Creates a stream that accepts a write on request, and its output with the minimum backlog. */
function slowOutput() {
  let accept: () => void = () => {};
  let calls = 0;
  const stream = new Writable({
    highWaterMark: 1 << 16,
    write: (_chunk, _encoding, done) => {
      accept = done;
    },
  });
  const memory = createSocketMemory(MIN_SOCKET_BACKLOG_BYTES);
  memory.changed(0, MIN_SOCKET_BACKLOG_BYTES);
  assert.is(memory.limit(), MIN_SOCKET_BACKLOG_BYTES);
  const output = createOutput(stream, memory, () => {
    calls++;
  });
  return { stream, output, accept: () => accept(), calls: () => calls };
}

outputs(
  "a full output below Node's high-water mark calls its drain callback when the stream accepts the bytes",
  async () => {
    const { output, accept, calls } = slowOutput();
    output.write(Buffer.alloc(MIN_SOCKET_BACKLOG_BYTES + 1));
    output.flush();
    assert.is(output.isFull(), true);
    assert.is(calls(), 0);
    accept();
    await turn();
    assert.is(calls(), 1);
    assert.is(output.isFull(), false);
  },
);

outputs(
  'a full output that gets further bytes stays full until the stream has accepted all bytes',
  async () => {
    const { output, accept, calls } = slowOutput();
    output.write(Buffer.alloc(MIN_SOCKET_BACKLOG_BYTES + 1));
    output.flush();
    assert.is(output.isFull(), true);
    output.write(Buffer.alloc(MIN_SOCKET_BACKLOG_BYTES + 1));
    output.flush();
    accept();
    await turn();
    assert.is(calls(), 0);
    accept();
    await turn();
    assert.is(calls(), 1);
  },
);

outputs('an output calls its drain callback if `undo` removes bytes and the output is no longer full', () => {
  const { output, calls } = slowOutput();
  output.place(MIN_SOCKET_BACKLOG_BYTES + 1);
  assert.is(output.isFull(), true);
  output.undo(MIN_SOCKET_BACKLOG_BYTES + 1);
  output.flush();
  assert.is(calls(), 1);
});

outputs('an output with a destroyed socket never calls its drain callback', async () => {
  const { stream, output, calls } = slowOutput();
  output.write(Buffer.alloc(MIN_SOCKET_BACKLOG_BYTES + 1));
  output.flush();
  assert.is(output.isFull(), true);
  stream.destroy();
  await turn();
  assert.is(calls(), 0);
});

outputs('an output calls its drain callback only after `isFull` has returned true', async () => {
  let calls = 0;
  const socket = { write: () => true, cork: () => {}, uncork: () => {}, writableLength: 0, destroyed: false };
  const output = createOutput(socket, createSocketMemory(MAX_SOCKET_BACKLOG_BYTES), () => {
    calls++;
  });
  output.write(Buffer.alloc(10));
  assert.is(output.isFull(), false);
  output.flush();
  output.write(Buffer.alloc(LARGE));
  assert.is(output.isFull(), true);
  assert.is(calls, 0);
  output.flush();
  assert.is(calls, 1);
  output.flush();
  assert.is(calls, 1);
});

outputs.run();
