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
import { closesAfter, createTestServer, sendsFile, sendsNothing, status } from './server.ts';

/** Larger than the minimum progress of an attempt. */
const content = randomBytes(300_000);
const packed = gzipSync(archive({ name: 'a', content }));
const sha256 = sha256Of(packed);

/** Ignores the requested range. */
const whole: Answer = (_, response) => void response.end(packed);

type Fixture = {
  readonly harness: BundlesHarness;
  readonly server: TestServer;
  readonly wanted: WantedBundle;
  /** Resolves to the result of the download while the injected clock advances. */
  readonly outcome: () => Promise<string>;
};

/** Advances the clock by the backoff between attempts only, so that a slow machine changes nothing. */
async function passing<Value>(harness: BundlesHarness, promise: Promise<Value>): Promise<Value> {
  let finished = false;
  const watched = promise.finally(() => {
    finished = true;
  });
  for (let passed = 0; !finished; await new Promise(done => setTimeout(done, 1))) {
    const waits = harness.logged.flatMap(line => Number(/ in (\d+) s: /.exec(line)?.[1] ?? []));
    for (; passed < waits.length; passed++) harness.clock.advance((waits[passed] ?? 0) * 1000);
  }
  return watched;
}

/** Returns a test whose server sends `answers` in order, and then repeats the last answer. */
function withServer(
  answers: readonly Answer[],
  act: (withServer: Fixture) => Promise<void>,
  certificate?: 'stranger',
): () => Promise<void> {
  return async () => {
    const answer = (n: number): Answer => answers[Math.min(n, answers.length - 1)] ?? sendsNothing();
    const server = await createTestServer(answer, certificate);
    const harness = await createBundlesHarness();
    const source = { url: `${server.url}/app.tar.gz?token=secret` };
    const wanted = { subject: 'modules.m.bundle', sha256, source, size: 1 << 20, files: 10 };
    const outcome = (): Promise<string> =>
      passing(
        harness,
        harness.store.fetchBundles([wanted], never).then(() => 'prepared', reasonOf),
      );
    try {
      await act({ harness, server, wanted, outcome });
    } finally {
      await server.close();
      await harness.remove();
    }
  };
}

const download = suite('bundles: downloads');

download(
  'a downloaded bundle file is removed after it is unpacked',
  withServer([sendsFile(packed)], async ({ harness, server, outcome }) => {
    assert.is(await outcome(), 'prepared');
    assert.equal(server.requested, ['/app.tar.gz?token=secret']);
    assert.equal(treeOf(harness.store.folderOf(sha256)), { a: `444 ${content.toString('latin1')}` });
    assertClean(harness.bundles, [sha256]);
  }),
);

download(
  'an interrupted download continues at the last received byte',
  withServer(
    [closesAfter(packed, 100_000), closesAfter(packed, 100_000), sendsFile(packed)],
    async ({ harness, server, outcome }) => {
      assert.is(await outcome(), 'prepared');
      assert.is(server.requested.length, 3);
      const [second, third] = server.requested
        .slice(1)
        .map(requested => Number(/bytes=(\d+)-$/.exec(requested)?.[1]));
      assert.ok(second !== undefined && second > 65_536 && second <= 100_000, `${second}`);
      assert.ok(third !== undefined && third > second && third <= 200_000, `${third}`);
      const waits = harness.logged.filter(line => line.includes(' in 1 s: '));
      assert.equal([waits.length, harness.progressed.at(-1)?.bytes], [2, packed.length]);
      // The query of a URL may be secret and is not logged.
      assert.not.match(harness.logged.join(), /token|secret/);
      assertClean(harness.bundles, [sha256]);
    },
  ),
);

download(
  'a download that a restart of the hub interrupts continues behind the bytes on disk',
  withServer([sendsFile(packed)], async ({ harness, server, outcome }) => {
    await writePart(harness, packed.subarray(0, 200_000));
    assert.is(await outcome(), 'prepared');
    assert.equal(server.requested, ['/app.tar.gz?token=secret bytes=200000-']);
  }),
);

download(
  'a bundle file that an earlier start has downloaded completely is unpacked without a request',
  withServer([status(500)], async ({ harness, server, outcome }) => {
    await writePart(harness, packed);
    assert.is(await outcome(), 'prepared');
    assert.equal(server.requested, []);
  }),
);

download(
  'a partial download that a power cut has damaged is downloaded again',
  withServer([sendsFile(packed)], async ({ harness, server, outcome }) => {
    await writePart(harness, Buffer.alloc(200_000));
    assert.is(await outcome(), 'prepared');
    assert.equal(server.requested, ['/app.tar.gz?token=secret bytes=200000-', '/app.tar.gz?token=secret']);
  }),
);

download(
  'a partial download that is longer than the file is downloaded again',
  withServer([sendsFile(packed)], async ({ harness, server, outcome }) => {
    await writePart(harness, Buffer.concat([packed, packed.subarray(0, 1000)]));
    assert.is(await outcome(), 'prepared');
    assert.equal(server.requested, [
      `/app.tar.gz?token=secret bytes=${packed.length + 1000}-`,
      '/app.tar.gz?token=secret',
    ]);
  }),
);

download(
  'an interrupted download starts again from the first byte if the server supports no ranges',
  withServer([closesAfter(packed, 100_000), whole], async ({ outcome }) => {
    assert.is(await outcome(), 'prepared');
  }),
);

download(
  'a download follows redirects and retries a request that fails with a temporary HTTP error',
  withServer(
    [status(503), status(302, { location: '/b' }), status(307, { location: 'c' }), sendsFile(packed)],
    async ({ server, outcome }) => {
      assert.is(await outcome(), 'prepared');
      assert.equal(server.requested, ['/app.tar.gz?token=secret', '/app.tar.gz?token=secret', '/b', '/c']);
    },
  ),
);

const where = /https:\/\/localhost:\d+\/app\.tar\.gz: /;

/** Wrong answers of a server with the resulting errors. */
const REFUSED: readonly (readonly [what: string, answers: readonly Answer[], sentence: string])[] = [
  ['HTTP status 404', [status(404)], 'HTTP status 404.'],
  ['HTTP status 403', [status(403)], 'HTTP status 403.'],
  ['a redirect loop', [status(302, { location: '/app.tar.gz' })], 'more than 5 redirects.'],
  [
    'a redirect to plain http',
    [status(301, { location: 'http://example.org/x?token=1' })],
    'it redirects to http://example.org/x, which is not https.',
  ],
  [
    'a redirect to a file URL',
    [status(301, { location: 'file:///etc/passwd' })],
    'it redirects to null/etc/passwd, which is not https.',
  ],
  ['an invalid redirect', [status(301, { location: 'https://' })], 'invalid redirect: Invalid URL.'],
  ['a permanent HTTP status 500', [status(500)], 'HTTP status 500.'],
  [
    'a content encoding',
    [status(200, { 'content-encoding': 'br' })],
    'its server compresses it (content-encoding br).',
  ],
];

for (const [what, answers, sentence] of REFUSED) {
  download(
    `a download with ${what} fails with one error and leaves no file`,
    withServer(answers, async ({ harness, server, outcome }) => {
      const message = await outcome();
      assert.match(message, where);
      assert.is(message.replace(where, ''), `modules.m.bundle cannot be downloaded from ${sentence}`);
      assert.ok(server.requested.length <= 10);
      assertClean(harness.bundles, [], [sha256]);
      assert.is(partOf(harness).length, 0);
    }),
  );
}

download(
  'a download from a server with a certificate of an unknown CA is refused before the request is sent',
  withServer(
    [sendsFile(packed)],
    async ({ server, outcome }) => {
      assert.match(await outcome(), /: unable to verify the first certificate\.$/);
      assert.equal(server.requested, []);
    },
    'stranger',
  ),
);

download(
  'a downloaded file with a wrong hash is removed and not unpacked',
  withServer([sendsFile(gzipSync(archive({ name: '../x' })))], async ({ harness, outcome }) => {
    assert.match(
      await outcome(),
      /^modules\.m\.bundle should have the SHA-256 .* the downloaded file has .* another file\.$/,
    );
    assertClean(harness.bundles, []);
  }),
);

const fetchTooLarge = ({ store }: BundlesHarness, wanted: WantedBundle) =>
  store.fetchBundles([{ ...wanted, size: 1, files: 1 }], never).catch(reasonOf);
const large = 'modules.m.bundle is a file of more than 1052673 bytes, the limit by its "size" and "files".';

download(
  'a download whose Content-Length exceeds the maximum size is refused before its first byte',
  withServer([sendsFile(Buffer.alloc(2 << 20))], async ({ harness, wanted }) => {
    assert.is(await passing(harness, fetchTooLarge(harness, wanted)), large);
    assert.is(partOf(harness).length, 0);
  }),
);

download(
  'a download without Content-Length is stopped at the maximum size',
  withServer([(_, response) => response.end(Buffer.alloc(2 << 20))], async ({ harness, wanted }) => {
    assert.is(await passing(harness, fetchTooLarge(harness, wanted)), large);
  }),
);

for (const [what, answer, begun] of [
  ['before the answer', sendsNothing(), 0],
  ['in the middle of the body', sendsNothing(packed.subarray(0, 1000)), 1000],
] as const) {
  download(
    `a download that receives nothing for 30 s ${what} is retried`,
    withServer([answer, sendsFile(packed)], async ({ harness, server, outcome }) => {
      const prepared = outcome();
      await until(() => server.requested.length === 1 && partOf(harness).length === begun);
      harness.clock.advance(29_000);
      assert.equal(harness.logged, []);
      harness.clock.advance(1_001);
      assert.is(await prepared, 'prepared');
      assert.is(server.requested.length, 2);
      assert.match(harness.logged.join(), /Retrying .* in 1 s: no data for 30 s \(timeout\)/);
    }),
  );

  download(
    `an abort ends a download that receives nothing ${what}, and the received bytes stay stored`,
    withServer([answer], async ({ harness, server, wanted }) => {
      const controller = new AbortController();
      const reason = new Error('a newer manifest was applied');
      const prepared = harness.store
        .fetchBundles([wanted], controller.signal)
        .catch((error: unknown) => error);
      await until(() => server.requested.length === 1 && partOf(harness).length === begun);
      // The clock of the test stands still, so nothing but the abort can end the download.
      controller.abort(reason);
      assert.is(await prepared, reason);
      assertClean(harness.bundles, [], [sha256]);
    }),
  );
}

download(
  'an abort during the wait between two attempts ends the download',
  withServer([status(503)], async ({ harness, server, wanted }) => {
    const controller = new AbortController();
    const prepared = harness.store
      .fetchBundles([wanted], controller.signal)
      .catch((thrown: unknown) => thrown);
    await until(() => harness.logged.length > 0);
    controller.abort(new Error('newer'));
    assert.is(reasonOf(await prepared), 'newer');
    assert.is(server.requested.length, 1);
    assert.is(harness.clock.pending(), 0);
  }),
);

function partOf(harness: BundlesHarness): Buffer {
  return readFileSync(join(harness.bundles, '.part', sha256));
}

async function until(check: () => boolean): Promise<void> {
  while (!check()) await new Promise(done => setTimeout(done, 1));
}

async function writePart(harness: BundlesHarness, bytes: Buffer): Promise<void> {
  const parts = join(harness.bundles, '.part');
  await mkdir(parts, { recursive: true });
  writeFileSync(join(parts, sha256), bytes);
}

download.run();
