import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { printManifest } from '../../src/manifest/print.ts';
import { parseManifest } from '../../src/manifest/read.ts';
import { durationOf, durationText, sizeOf, sizeText } from '../../src/manifest/units.ts';
import { manifest } from './manifests.ts';

const printing = suite('manifest: printing');

printing('a printed manifest shows every default with units', () => {
  const text = '{"name":"a","modules":{"m":{"exec":["./m"]}},"upstream":{"url":"mqtt://u:p@parent"}}';
  assert.equal(JSON.parse(printManifest(text, 'm.json')), {
    name: 'a',
    dialect: 'skerry',
    modules: {
      m: {
        exec: ['./m'],
        io: 'mqtt',
        env: {},
        secrets: {},
        restart: 'always',
        startupOrder: 0,
        stopSignal: 'SIGTERM',
        stopGraceSeconds: 10,
        tty: false,
        ack: false,
        backoff: { firstSeconds: 1, factor: 2, mostSeconds: 60, resetSeconds: 60 },
        limits: {},
        sandbox: 'none',
        devices: [],
        require: false,
        publish: [],
        subscribe: [],
      },
    },
    routes: {},
    storeAndForward: { ttl: '7d', maxSize: '512M', whenFull: 'reject', commitWindow: '50ms' },
    listeners: [{ mqtt: '127.0.0.1:1883' }],
    users: {},
    deployment: { healthyFor: '10s', within: '2m' },
    hub: {},
    limits: {
      packetSize: '1M',
      connections: 10_240,
      sessions: 4096,
      subscriptionBytes: '32M',
      retained: 10_000,
      retainedBytes: '32M',
    },
    retained: true,
    upstream: {
      url: 'mqtt://u:p@parent:1883',
      profile: 'mqtt',
      exactlyOnce: false,
      window: 64,
      keepAlive: '30s',
      priorities: 'weighted',
      down: [],
      schedule: [],
    },
  });
});

printing('a printed manifest shows that a module has no network', () => {
  const sandbox = { level: 'strict', network: 'none' };
  const text = JSON.stringify({ name: 'a', modules: { m: { exec: ['./m'], sandbox } } });
  const printed = printManifest(text, 'm.json');
  assert.equal(JSON.parse(printed).modules.m.sandbox, sandbox);
  assert.equal(parseManifest(printed, 'm.json'), parseManifest(text, 'm.json'));
});

printing('a printed manifest parses to the same settings as the original', () => {
  const same = (made: object): void => {
    const text = JSON.stringify(made);
    const printed = printManifest(text, 'm.json');
    assert.equal(parseManifest(printed, 'm.json'), parseManifest(text, 'm.json'));
    assert.is(printManifest(printed, 'm.json'), printed);
  };
  fc.assert(fc.property(manifest, same), { numRuns: 1000 });
});

printing('a printed manifest shows durations and sizes without rounding', () => {
  const whole = fc.oneof(
    fc.nat(),
    fc.maxSafeNat(),
    fc.nat(1000).map(count => count * 3_600_000),
  );
  const exact = (value: number): void => {
    assert.is(durationOf(durationText(value)), value);
    assert.is(sizeOf(sizeText(value)), value);
  };
  fc.assert(fc.property(whole, exact));
  assert.equal([0, 50, 90_000, 7_200_000, 604_800_000].map(durationText), ['0ms', '50ms', '90s', '2h', '7d']);
  assert.equal([0, 1000, 1024, 1536, 536_870_912].map(sizeText), ['0', '1000', '1K', '1536', '512M']);
});

printing.run();
