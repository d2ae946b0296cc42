import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { WantedBundle } from '../../src/bundles/types.ts';
import { reasonOf } from '../../src/core/errors.ts';
import { archive, sha256Of } from '../harness/bundles/archives.ts';
import type { BundlesHarness } from '../harness/bundles/bundles.ts';
import { assertClean, createBundlesHarness, never, treeOf } from '../harness/bundles/bundles.ts';
import type { Answer, TestServer } from './server.ts';
import { createTestServer, cuts, gives, hangs, status } from './server.ts';

/** More than the progress that is asked of a try. */
const content = randomBytes(300_000);
const good = gzipSync(archive({ name: 'a', content }));
const sha256 = sha256Of(good);

/** Ignores the requested range. */
const whole: Answer = (_, response) => void response.end(good);

type Scene = {
  readonly stage: BundlesHarness;
  readonly server: TestServer;
  readonly wanted: WantedBundle;
  /** Outcome of the download, while the injected clock advances. */
  readonly outcome: () => Promise<string>;
};

/** Advances the clock by the back-off between two tries only, so a slow machine changes nothing. */
async function passing<Value>(stage: BundlesHarness, promise: Promise<Value>): Promise<Value> {
  let settled = false;
  const watched = promise.finally(() => {
    settled = true;
  });
  for (let passed = 0; !settled; await new Promise(done => setTimeout(done, 1))) {
    const waits = stage.logged.flatMap(line => Number(/ in (\d+) s: /.exec(line)?.[1] ?? []));
    for (; passed < waits.length; passed++) stage.clock.advance((waits[passed] ?? 0) * 1000);
  }
  return watched;
}

/** The server answers by the list, and from its end on as the last one of it. */
function scene(
  answers: readonly Answer[],
  act: (scene: Scene) => Promise<void>,
  certificate?: 'stranger',
): () => Promise<void> {
  return async () => {
    const answer = (n: number): Answer => answers[Math.min(n, answers.length - 1)] ?? hangs();
    const server = await createTestServer(answer, certificate);
    const stage = await createBundlesHarness();
    const source = { url: `${server.url}/app.tar.gz?token=secret` };
    const wanted = { subject: 'modules.m.bundle', sha256, source, size: 1 << 20, files: 10 };
    const outcome = (): Promise<string> =>
      passing(
        stage,
        stage.store.fetchBundles([wanted], never).then(() => 'prepared', reasonOf),
      );
    try {
      await act({ stage, server, wanted, outcome });
    } finally {
      await server.close();
      await stage.remove();
    }
  };
}

const download = suite('bundles: downloads');

download(
  'fetched, unpacked, and the download is gone',
  scene([gives(good)], async ({ stage, server, outcome }) => {
    assert.is(await outcome(), 'prepared');
    assert.equal(server.asked, ['/app.tar.gz?token=secret']);
    assert.equal(treeOf(stage.store.folderOf(sha256)), { a: `444 ${content.toString('latin1')}` });
    assertClean(stage.bundles, [sha256]);
  }),
);

download(
  'a connection that is cut again and again is gone on with where it was',
  scene([cuts(good, 100_000), cuts(good, 100_000), gives(good)], async ({ stage, server, outcome }) => {
    assert.is(await outcome(), 'prepared');
    assert.is(server.asked.length, 3);
    const [second, third] = server.asked.slice(1).map(asked => Number(/bytes=(\d+)-$/.exec(asked)?.[1]));
    assert.ok(second !== undefined && second > 65_536 && second <= 100_000, `${second}`);
    assert.ok(third !== undefined && third > second && third <= 200_000, `${third}`);
    const waits = stage.logged.filter(line => line.includes(' in 1 s: '));
    assert.equal([waits.length, stage.progressed.at(-1)?.bytes], [2, good.length]);
    // What may be secret in an address is not logged.
    assert.not.match(stage.logged.join(), /token|secret/);
    assertClean(stage.bundles, [sha256]);
  }),
);

download(
  'what an earlier start has fetched is not fetched again',
  scene([gives(good)], async ({ stage, server, outcome }) => {
    await writePart(stage, good.subarray(0, 200_000));
    assert.is(await outcome(), 'prepared');
    assert.equal(server.asked, ['/app.tar.gz?token=secret bytes=200000-']);
  }),
);

download(
  'one that is there as a whole needs no server',
  scene([status(500)], async ({ stage, server, outcome }) => {
    await writePart(stage, good);
    assert.is(await outcome(), 'prepared');
    assert.equal(server.asked, []);
  }),
);

download(
  'a beginning that a power cut has damaged is fetched anew',
  scene([gives(good)], async ({ stage, server, outcome }) => {
    await writePart(stage, Buffer.alloc(200_000));
    assert.is(await outcome(), 'prepared');
    assert.equal(server.asked, ['/app.tar.gz?token=secret bytes=200000-', '/app.tar.gz?token=secret']);
  }),
);

download(
  'a beginning that is longer than the file is fetched anew',
  scene([gives(good)], async ({ stage, server, outcome }) => {
    await writePart(stage, Buffer.concat([good, good.subarray(0, 1000)]));
    assert.is(await outcome(), 'prepared');
    assert.equal(server.asked, [
      `/app.tar.gz?token=secret bytes=${good.length + 1000}-`,
      '/app.tar.gz?token=secret',
    ]);
  }),
);

download(
  'a server that knows no ranges gives the whole',
  scene([cuts(good, 100_000), whole], async ({ outcome }) => {
    assert.is(await outcome(), 'prepared');
  }),
);

download(
  'redirects are followed, and trouble that passes is waited for',
  scene(
    [status(503), status(302, { location: '/b' }), status(307, { location: 'c' }), gives(good)],
    async ({ server, outcome }) => {
      assert.is(await outcome(), 'prepared');
      assert.equal(server.asked, ['/app.tar.gz?token=secret', '/app.tar.gz?token=secret', '/b', '/c']);
    },
  ),
);

const where = /https:\/\/localhost:\d+\/app\.tar\.gz: /;

/** Server misbehaviour and the resulting error. Nothing is stored. */
const REFUSED: readonly (readonly [what: string, answers: readonly Answer[], sentence: string])[] = [
  ['a missing file', [status(404)], 'HTTP status 404.'],
  ['it may not be had', [status(403)], 'HTTP status 403.'],
  ['a circle of redirects', [status(302, { location: '/app.tar.gz' })], 'more than 5 redirects.'],
  [
    'a redirect to plain http',
    [status(301, { location: 'http://example.org/x?token=1' })],
    'it redirects to http://example.org/x, which is not https.',
  ],
  [
    'a redirect to a file',
    [status(301, { location: 'file:///etc/passwd' })],
    'it redirects to null/etc/passwd, which is not https.',
  ],
  ['a redirect to nothing', [status(301, { location: 'https://' })], 'invalid redirect: Invalid URL.'],
  ['trouble that does not pass', [status(500)], 'HTTP status 500.'],
  [
    'packed once more',
    [status(200, { 'content-encoding': 'br' })],
    'its server compresses it (content-encoding br).',
  ],
];

for (const [what, answers, sentence] of REFUSED) {
  download(
    `${what}: one sentence, and nothing is left`,
    scene(answers, async ({ stage, server, outcome }) => {
      const said = await outcome();
      assert.match(said, where);
      assert.is(said.replace(where, ''), `modules.m.bundle cannot be downloaded from ${sentence}`);
      assert.ok(server.asked.length <= 10);
      assertClean(stage.bundles, [], [sha256]);
      assert.is(partOf(stage).length, 0);
    }),
  );
}

download(
  'a certificate of an authority that nobody trusts',
  scene(
    [gives(good)],
    async ({ server, outcome }) => {
      assert.match(await outcome(), /: unable to verify the first certificate\.$/);
      assert.equal(server.asked, []);
    },
    'stranger',
  ),
);

download(
  'another file: it is removed, and not looked into',
  scene([gives(gzipSync(archive({ name: '../x' })))], async ({ stage, outcome }) => {
    assert.match(
      await outcome(),
      /^modules\.m\.bundle should have the SHA-256 .* the downloaded file has .* another file\.$/,
    );
    assertClean(stage.bundles, []);
  }),
);

const fetchTooLarge = ({ store }: BundlesHarness, wanted: WantedBundle) =>
  store.fetchBundles([{ ...wanted, size: 1, files: 1 }], never).catch(reasonOf);
const large = 'modules.m.bundle is a file of more than 1052673 bytes, the limit by its "size" and "files".';

download(
  'larger than it may be, by what the server says of it: not a byte is taken',
  scene([gives(Buffer.alloc(2 << 20))], async ({ stage, wanted }) => {
    assert.is(await passing(stage, fetchTooLarge(stage, wanted)), large);
    assert.is(partOf(stage).length, 0);
  }),
);

download(
  'larger than it may be, unsaid: stopped on the way',
  scene([(_, response) => response.end(Buffer.alloc(2 << 20))], async ({ stage, wanted }) => {
    assert.is(await passing(stage, fetchTooLarge(stage, wanted)), large);
  }),
);

for (const [what, answer, begun] of [
  ['before it answers', hangs(), 0],
  ['in the middle', hangs(good.subarray(0, 1000)), 1000],
] as const) {
  download(
    `a server that falls silent ${what} is hung up on, and asked again`,
    scene([answer, gives(good)], async ({ stage, server, outcome }) => {
      const prepared = outcome();
      await until(() => server.asked.length === 1 && partOf(stage).length === begun);
      stage.clock.advance(29_000);
      assert.equal(stage.logged, []);
      stage.clock.advance(1_001);
      assert.is(await prepared, 'prepared');
      assert.is(server.asked.length, 2);
      assert.match(stage.logged.join(), /retrying .* in 1 s: no data for 30 s \(timeout\)/);
    }),
  );

  download(
    `a server that falls silent ${what}: given up at once, and what has come is kept`,
    scene([answer], async ({ stage, server, wanted }) => {
      const controller = new AbortController();
      const reason = new Error('a newer one is there');
      const prepared = stage.store.fetchBundles([wanted], controller.signal).catch((error: unknown) => error);
      await until(() => server.asked.length === 1 && partOf(stage).length === begun);
      const start = performance.now();
      controller.abort(reason);
      assert.is(await prepared, reason);
      assert.ok(performance.now() - start < 1000);
      assertClean(stage.bundles, [], [sha256]);
    }),
  );
}

download(
  'a newer one is not held up by a wait between two tries',
  scene([status(503)], async ({ stage, server, wanted }) => {
    const controller = new AbortController();
    const prepared = stage.store.fetchBundles([wanted], controller.signal).catch((thrown: unknown) => thrown);
    await until(() => stage.logged.length > 0);
    controller.abort(new Error('newer'));
    assert.is(reasonOf(await prepared), 'newer');
    assert.is(server.asked.length, 1);
    assert.is(stage.clock.pending(), 0);
  }),
);

function partOf(stage: BundlesHarness): Buffer {
  return readFileSync(join(stage.bundles, '.part', sha256));
}

async function until(check: () => boolean): Promise<void> {
  while (!check()) await new Promise(done => setTimeout(done, 1));
}

async function writePart(stage: BundlesHarness, bytes: Buffer): Promise<void> {
  const parts = join(stage.bundles, '.part');
  await mkdir(parts, { recursive: true });
  writeFileSync(join(parts, sha256), bytes);
}

download.run();
