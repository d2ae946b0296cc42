import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CHILD_PROPERTIES,
  childSourceOf,
  propertiesForParent,
  withHop,
} from '../../src/core/child-source.ts';
import { MAX_HOPS } from '../../src/core/limits.ts';
import type { Origin, Properties } from '../../src/core/message.ts';

const CHILD_NAMES = CHILD_PROPERTIES.map(name => `$${name}`);

const device = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/);
const topic = fc.string({ minLength: 1 });

/** Arbitrary user properties, including the hub's own names with genuine and forged values. */
const properties: fc.Arbitrary<Properties> = fc
  .array(
    fc.tuple(
      fc.oneof(fc.constantFrom(...CHILD_NAMES, 'level', '$messageId', 'childDevice'), fc.string()),
      fc.oneof(fc.constantFrom('', 'edge', 'edge/other', 'edge/', '/', 'a//b', 'ä'), fc.string()),
    ),
    { maxLength: 8 },
  )
  .map(pairs => pairs.flat());

const module: fc.Arbitrary<Origin> = fc.record({
  kind: fc.constant('module' as const),
  module: name,
  output: fc.oneof(fc.constant(''), name),
});
const otherSender: fc.Arbitrary<Origin> = fc.oneof(
  fc.constant({ kind: 'client', client: 'c' } as const),
  fc.constant({ kind: 'upstream', upstream: 'upstream' } as const),
);

function others(list: Properties): string[] {
  return list.filter((_, at) => !CHILD_NAMES.includes(list[at - (at % 2)] ?? ''));
}

const hops = suite('core: child source');

hops('a message of a module is forwarded with the names of its hub, module and output', () => {
  fc.assert(
    fc.property(module, properties, topic, device, (origin, written, on, hub) => {
      const sent = propertiesForParent({ origin, properties: written, topic: on }, hub) ?? [];
      assert.equal(others(sent), others(written));
      if (origin.kind !== 'module') throw new Error('no module');
      const { module: from, output } = origin;
      const expected = output === '' ? { output: undefined, topic: on } : { output, topic: undefined };
      assert.equal(childSourceOf(sent), { devices: [hub], module: from, ...expected });
    }),
  );
});

hops(
  'a hub prepends its name to the child source (the list of forwarding hubs) of a message from a client',
  () => {
    fc.assert(
      fc.property(otherSender, properties, topic, device, (origin, written, on, hub) => {
        const sent = propertiesForParent({ origin, properties: written, topic: on }, hub) ?? [];
        assert.equal(others(sent), others(written));
        const claimed = childSourceOf(written);
        const expected =
          claimed === undefined
            ? { devices: [hub], module: undefined, output: undefined, topic: on }
            : { ...claimed, devices: [hub, ...claimed.devices] };
        assert.equal(childSourceOf(sent), expected);
        for (const one of CHILD_NAMES) {
          assert.ok(sent.filter((text, at) => at % 2 === 0 && text === one).length <= 1, one);
        }
      }),
    );
  },
);

hops('a client cannot forge the name of a module of the hub that forwards the message', () => {
  fc.assert(
    fc.property(otherSender, properties, topic, device, (origin, written, on, hub) => {
      const sent = propertiesForParent({ origin, properties: written, topic: on }, hub) ?? [];
      const { devices, module: from } = childSourceOf(sent) ?? { devices: [], module: '' };
      assert.is(devices[0], hub);
      if (devices.length === 1) assert.is(from, undefined);
    }),
  );
});

hops('the child source of a message lists every hub that forwarded the message, up to MAX_HOPS hubs', () => {
  fc.assert(
    fc.property(
      module,
      topic,
      fc.array(device, { minLength: 1, maxLength: MAX_HOPS + 4 }),
      (origin, on, hubs) => {
        let sent: Properties | undefined = [];
        let from: Origin = origin;
        let first: Properties = [];
        for (const [index, hub] of hubs.entries()) {
          sent = propertiesForParent({ origin: from, properties: sent, topic: on }, hub);
          if (index === 0) first = sent ?? [];
          if (sent === undefined) break;
          from = { kind: 'client', client: 'any' };
        }
        if (hubs.length > MAX_HOPS) assert.is(sent, undefined);
        else {
          assert.equal(childSourceOf(sent ?? []), {
            ...childSourceOf(first),
            devices: hubs.toReversed(),
          });
        }
      },
    ),
  );
});

hops('the last of several $childDevice properties in a message is used', () => {
  const twice = ['$childDevice', 'a', '$childDevice', 'b', '$childModule', 'm'];
  assert.equal(childSourceOf(twice), {
    devices: ['b'],
    module: 'm',
    output: undefined,
    topic: undefined,
  });
  assert.is(childSourceOf(['$childModule', 'm']), undefined);
});

hops('`withHop` counts hubs in one property up to MAX_HOPS, whatever value a sender has set', () => {
  const cases: readonly (readonly [before: Properties, after: Properties | undefined])[] = [
    [[], ['$hops', '1']],
    [
      ['a', '1', '$hops', '3', 'a', '2', '$hops', '2'],
      ['a', '1', 'a', '2', '$hops', '4'],
    ],
    [
      ['$hops', '-1'],
      ['$hops', '1'],
    ],
    [
      ['$hops', '1e9'],
      ['$hops', '1'],
    ],
    [
      ['$hops', ''],
      ['$hops', '1'],
    ],
    [['$hops', String(MAX_HOPS)], undefined],
    [['$hops', '9999'], undefined],
  ];
  for (const [before, after] of cases) assert.equal(withHop(before), after, before.join());
});

hops.run();
