import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../harness/binary.ts';
import type { Network } from '../../harness/network/proxy.ts';
import { startProxy } from '../../harness/network/proxy.ts';
import { seededRandom } from '../../harness/seeded-random.ts';

/** Starts a server that echoes its input. */
async function startEcho() {
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.pipe(socket);
  });
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    connections: () => sockets.size,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function client(port: number) {
  const socket = connect(port, '127.0.0.1');
  const state = { text: '', bytes: 0, closed: false, hash: createHash('sha256') };
  socket.on('data', chunk => {
    state.bytes += chunk.length;
    state.hash.update(chunk);
    if (state.bytes < 1_000) state.text += chunk.toString();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    state.closed = true;
  });
  return { state, say: (text: string | Buffer) => void socket.write(text), leave: () => socket.destroy() };
}

type Fixture = { readonly proxy: Network; readonly echo: Awaited<ReturnType<typeof startEcho>> };

async function withProxy(seed: number, act: (fixture: Fixture) => Promise<void>): Promise<void> {
  const echo = await startEcho();
  const proxy = await startProxy([echo.port], seededRandom(seed));
  try {
    await act({ proxy, echo });
  } finally {
    await proxy.close();
    echo.close();
  }
}

const proxies = suite('upstream: network proxy of the tests');

proxies('the test proxy forwards all bytes in order, also with delays and in pieces', () =>
  withProxy(1, async ({ proxy }) => {
    const bytes = Buffer.from(Array.from({ length: 40_000 }, (_, at) => (at * 7 + (at >> 8)) % 256));
    for (const condition of ['normal', 'slow'] as const) {
      proxy.setCondition(condition);
      const one = client(proxy.port);
      one.say(bytes);
      await until('all is back', () => one.state.bytes === bytes.length);
      assert.equal(one.state.hash.digest('hex'), createHash('sha256').update(bytes).digest('hex'));
      one.leave();
    }
    assert.is(proxy.traffic().connections, 2);
    assert.is(proxy.traffic().up, 2 * bytes.length);
  }),
);

proxies('a client whose answers the test proxy drops can send but never receives again', () =>
  withProxy(2, async ({ proxy }) => {
    const one = client(proxy.port);
    one.say('a');
    await until('it is answered', () => one.state.text === 'a');
    proxy.setCondition('dropAnswers');
    one.say('b');
    await until('the answer is lost', () => proxy.broken() === 1);
    proxy.setCondition('normal');
    one.say('c');
    await until('it is still heard', () => proxy.traffic().up === 3);
    const other = client(proxy.port);
    other.say('d');
    await until('another is answered', () => other.state.text === 'd');
    assert.equal([one.state.text, one.state.closed], ['a', false]);
  }),
);

proxies('the test proxy closes the server side of a half-open connection without notifying the client', () =>
  withProxy(3, async ({ proxy, echo }) => {
    const one = client(proxy.port);
    one.say('a');
    await until('it is answered', () => one.state.text === 'a');
    proxy.setCondition('halfOpen');
    await until('the server knows', () => echo.connections() === 0);
    one.say('b');
    const late = client(proxy.port);
    late.say('c');
    await until('there are two without a server', () => proxy.broken() === 2);
    assert.equal([one.state.closed, late.state.closed, late.state.text], [false, false, '']);
    proxy.cut();
    await until('they are told', () => one.state.closed && late.state.closed);
  }),
);

proxies(
  'bytes that reach the test proxy in its black hole state are forwarded afterwards, or their connection is broken',
  () =>
    withProxy(4, async ({ proxy }) => {
      const all = Array.from({ length: 20 }, () => client(proxy.port));
      for (const one of all) one.say('a');
      await until('all are answered', () => all.every(({ state }) => state.text === 'a'));
      proxy.setCondition('blackHole');
      for (const one of all) one.say('b');
      proxy.setCondition('normal');
      const alive = 20 - proxy.broken();
      await until('some go on', () => all.filter(({ state }) => state.text === 'ab').length === alive);
      assert.ok(alive > 2 && alive < 18);
      assert.is(all.filter(({ state }) => state.closed).length, 0);
    }),
);

proxies('the test proxy refuses and cuts connections on request', () =>
  withProxy(5, async ({ proxy, echo }) => {
    proxy.setCondition('refusing');
    const refused = client(proxy.port);
    await until('it is refused', () => refused.state.closed);
    proxy.setCondition('normal');
    const one = client(proxy.port);
    one.say('a');
    await until('it is answered', () => one.state.text === 'a');
    proxy.cut();
    await until('both sides know', () => one.state.closed && echo.connections() === 0);

    const nobody = await startProxy([1, echo.port], seededRandom(6));
    const other = client(nobody.port);
    other.say('b');
    await until('the second node answers', () => other.state.text === 'b');
    await nobody.close();
  }),
);

proxies.run();
