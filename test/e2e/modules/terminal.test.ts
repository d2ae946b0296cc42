import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_SCROLLBACK_BYTES, MAX_VIEWERS } from '../../../src/supervisor/limits.ts';
import type { RunningHub } from '../../harness/binary.ts';
import { folderWith, removeFolder, run, startHub, until } from '../../harness/binary.ts';
import type { RawViewer } from './viewer.ts';
import { openRawViewer } from './viewer.ts';

type Context = { folder: string; data: string };

const terminal = suite<Context>('e2e: terminals of modules');

terminal.before.each(context => {
  context.folder = folderWith({});
  context.data = join(context.folder, 'data');
});
terminal.after.each(({ folder }) => removeFolder(folder));

/** Runs a hub whose module `a` runs `script` in a terminal and whose module `plain` has no terminal. */
async function withModule(
  { folder, data }: Context,
  script: string,
  scenario: (
    hub: RunningHub,
    openViewer: (columns?: number, rows?: number) => Promise<RawViewer>,
  ) => Promise<void>,
): Promise<void> {
  const modules = {
    a: { exec: ['sh', '-c', script], tty: true, restart: 'never' },
    plain: { exec: ['sleep', '1000'] },
  };
  const manifest = JSON.stringify({ name: 'terminals', listeners: [{ mqtt: '127.0.0.1:0' }], modules });
  writeFileSync(join(folder, 'm.json'), manifest);
  const hub = await startHub(folder, 'm.json', 'data');
  try {
    await until('both run', () => (hub.log().match(/started, pid/g)?.length ?? 0) === 2);
    await scenario(hub, (columns, rows) => openRawViewer(data, 'a', columns, rows));
  } finally {
    await hub.end('SIGTERM');
  }
}

const refusal = (viewer: RawViewer): string => JSON.stringify(viewer.reply);

terminal(
  'every viewer of a terminal receives the output and the exit status of its module',
  async context => {
    await withModule(context, 'read word; echo "said $word"; exit 3', async (_hub, openViewer) => {
      const viewers = [await openViewer(), await openViewer()];
      viewers[0]?.type('hello\r');
      for (const viewer of viewers) {
        await until('it has ended', () => viewer.exitText() !== undefined);
        assert.match(viewer.text(), /hello\r\nsaid hello\r\n$/);
        assert.is(viewer.exitText(), 'exit 3');
      }
      assert.match(refusal(await openViewer()), /"module.exec".*Module \\"a\\" is not running/);
    });
  },
);

terminal('a terminal has the columns and rows of its smallest viewer', async context => {
  await withModule(context, 'while read line; do stty size; done', async (_hub, openViewer) => {
    const wide = await openViewer(200, 20);
    const sizeIs = async (size: string): Promise<void> => {
      const before = wide.text().length;
      await until(`its size is ${size}`, () => {
        wide.type('\r');
        return wide.text().slice(before).endsWith(`${size}\r\n`);
      });
    };
    await sizeIs('20 200');
    const high = await openViewer(90, 50);
    await sizeIs('20 90');
    high.resize(100, 10);
    await sizeIs('10 100');
    high.socket.destroy();
    await sizeIs('20 200');
  });
});

terminal(
  'a new viewer of a terminal receives the last output of the module from the start of a line',
  async context => {
    const script = 'i=0; while [ $i -lt 20000 ]; do echo "line $i"; i=$((i+1)); done; exec sleep 100';
    await withModule(context, script, async (_hub, openViewer) => {
      const first = await openViewer();
      await until('all is printed', () => first.text().includes('line 19999\r\n'));
      const second = await openViewer();
      await until('it is shown', () => second.text().includes('line 19999\r\n'));
      assert.ok(
        second.text().length <= MAX_SCROLLBACK_BYTES && second.text().length > MAX_SCROLLBACK_BYTES - 20,
      );
      assert.match(second.text(), /^(line \d+\r\n)+$/);
    });
  },
);

terminal(
  'text typed by a viewer waits at the viewer while the module does not read its terminal',
  async context => {
    const script =
      'stty raw -echo; echo set; until [ -e go ]; do sleep 0.05; done; head -c 1000000 | wc -c; sleep 100';
    await withModule(context, script, async (_hub, openViewer) => {
      const viewer = await openViewer();
      await until('it is set', () => viewer.text().includes('set'));
      for (let typed = 0; typed < 1_000_000; typed += 10_000) viewer.type(Buffer.alloc(10_000, 'x'));
      await until('the hub takes no more', () => viewer.socket.writableLength > 500_000);
      writeFileSync(join(context.folder, 'go'), '');
      await until('all was read', () => viewer.text().includes('1000000'));
    });
  },
);

terminal(
  'a viewer that disconnects with unread input is removed, also if the module has ended',
  async context => {
    const script = 'stty raw -echo; echo set; until [ -e go ]; do sleep 0.05; done';
    await withModule(context, script, async ({ process: { pid } }, openViewer) => {
      const openFiles = (): number => readdirSync(`/proc/${pid}/fd`).length;
      // The hub has opened the log file of the module once it has content.
      const log = join(context.data, 'logs', 'a.log');
      await until('it has said something', () => existsSync(log) && statSync(log).size > 0);
      const before = openFiles();
      const fill = async (): Promise<RawViewer[]> => {
        const viewers: RawViewer[] = [];
        for (let count = 0; count < MAX_VIEWERS; count += 1) {
          const viewer = await openViewer();
          assert.is(refusal(viewer), '{"result":null}');
          for (let typed = 0; typed < 1_000_000; typed += 10_000) viewer.type(Buffer.alloc(10_000, 'x'));
          await until('the hub takes no more', () => viewer.socket.writableLength > 500_000);
          viewers.push(viewer);
        }
        return viewers;
      };
      for (const { socket } of await fill()) socket.destroy();
      await until('all are gone', () => openFiles() <= before);
      const last = await fill();
      writeFileSync(join(context.folder, 'go'), '');
      await until('all were told', () => last.every(viewer => viewer.exitText() === 'exit 0'));
      for (const { socket } of last) socket.destroy();
      await until('all are gone again', () => openFiles() < before);
    });
  },
);

terminal('a viewer above the maximum number of viewers is refused', async context => {
  await withModule(context, 'exec sleep 100', async (_hub, openViewer) => {
    const viewers: RawViewer[] = [];
    for (let count = 0; count < MAX_VIEWERS; count += 1) viewers.push(await openViewer());
    assert.match(refusal(await openViewer()), /"module.exec".*already has the maximum of 8 viewers/);
    viewers[0]?.socket.destroy();
    let again = await openViewer();
    while (refusal(again) !== '{"result":null}') again = await openViewer();
    assert.match(refusal(await openRawViewer(context.data, 'plain')), /"usage".*has no terminal/);
    assert.match(refusal(await openRawViewer(context.data, 'nobody')), /"module.unknown"/);
    assert.match(refusal(await openRawViewer(context.data, 'a', 0, 10)), /"usage".*columns and the rows/);
  });
});

terminal(
  'a viewer that does not read is disconnected, and the module and its other viewers continue',
  async context => {
    await withModule(context, 'exec yes "a line of a flood that goes on"', async (_hub, openViewer) => {
      const idle = await openViewer();
      idle.socket.pause();
      const other = await openViewer();
      const seen = (): number => other.text().length;
      await until('the other has seen more than may wait', () => seen() > 4 << 20);
      const shown = idle.text().length;
      const closed = new Promise(done => idle.socket.once('close', done));
      idle.socket.on('error', () => {}).resume();
      await closed;
      assert.ok(idle.text().length - shown < seen() - shown);
      const before = seen();
      await until('the other goes on', () => seen() > before);
    });
  },
);

terminal('a viewer that sends an invalid frame is disconnected', async context => {
  await withModule(context, 'exec sleep 100', async (_hub, openViewer) => {
    for (const bytes of [Buffer.from([9, 0, 0, 0, 0]), Buffer.from([2, 0xff, 0xff, 0xff, 0xff])]) {
      const { socket } = await openViewer();
      const closed = new Promise(done => socket.once('close', done));
      socket.on('error', () => {}).write(bytes);
      await closed;
    }
    assert.is(refusal(await openViewer()), '{"result":null}');
  });
});

terminal('a restart of a module closes the previous terminal of the module', async context => {
  await withModule(context, 'echo up; exec sleep 100', async ({ process: { pid } }, openViewer) => {
    const openFiles = (): number => readdirSync(`/proc/${pid}/fd`).length;
    const turn = async (): Promise<void> => {
      assert.is(run(['restart', 'a', '--data', context.data]).code, 0);
      const viewer = await openViewer();
      viewer.type('typed\r');
      await until('it is up', () => viewer.text().includes('up'));
      viewer.socket.destroy();
    };
    await turn();
    const before = openFiles();
    for (let count = 0; count < 20; count += 1) await turn();
    await until('all is closed', () => openFiles() <= before);
  });
});

terminal.run();
