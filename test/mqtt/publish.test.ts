import fc from 'fast-check';
import type { IPublishPacket, UserProperties } from 'mqtt-packet';
import { generate } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Message, QoS } from '../../src/core/message.ts';
import { PLAIN } from '../../src/core/message.ts';
import type { Publish, PublishProperties } from '../../src/mqtt/read-publish.ts';
import { readPublish } from '../../src/mqtt/read-publish.ts';
import type { Version } from '../../src/mqtt/version.ts';
import type { PublishOptions } from '../../src/mqtt/write-publish.ts';
import { encodePublish, publishSize } from '../../src/mqtt/write-publish.ts';
import { ORACLE_RUNS, oracle, packetOf } from './oracle.ts';

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('a', 'a/b', 'ü'.repeat(90)),
);
const bytes = fc.uint8Array({ maxLength: 300 }).map(array => Buffer.from(array));
const optional = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: undefined });
const version = fc.constantFrom<Version>(3, 4, 5);
const large = fc.constantFrom(0, 1, 127, 128, 16_383, 16_384, 2_097_152).map(size => Buffer.alloc(size, 7));

const message: fc.Arbitrary<Message> = fc.record({
  topic: fc.constant(''),
  body: fc.oneof(bytes, large),
  qos: fc.constant<QoS>(0),
  retain: fc.boolean(),
  retained: fc.boolean(),
  origin: fc.constant({ kind: 'client', client: 'c' } as const),
  properties: fc.array(fc.tuple(text, text), { maxLength: 4 }).map(pairs => pairs.flat()),
  contentType: optional(text),
  payloadFormat: fc.constantFrom<0 | 1 | undefined>(undefined, 0, 1),
  responseTopic: optional(text.filter(one => !/[+#\0]/.test(one))),
  correlation: optional(bytes),
  ttl: fc.constant(undefined),
});

const dispatch: fc.Arbitrary<PublishOptions> = fc
  .record({
    topic: fc.string({ unit: 'grapheme', minLength: 1 }).filter(topic => !topic.includes('\0')),
    qos: fc.constantFrom<QoS>(0, 1, 2),
    packetId: fc.integer({ min: 1, max: 65_535 }),
    dup: fc.boolean(),
    retain: fc.boolean(),
    expiry: optional(fc.integer({ min: 0, max: 0xffff_ffff })),
    subscriptionIds: fc.array(fc.integer({ min: 1, max: 268_435_455 }), { maxLength: 3 }),
    alias: fc.integer({ min: 0, max: 65_535 }),
  })
  .map(one => ({ ...one, packetId: one.qos === 0 ? 0 : one.packetId, dup: one.dup && one.qos > 0 }));

/** Comparable form of a PUBLISH: properties as text, user properties in order. */
function comparable(publish: Publish): object {
  const { payload, properties, ...rest } = publish;
  return { ...rest, payload: payload.toString('hex'), properties: properties && plain(properties) };
}

function plain(properties: PublishProperties): object {
  const { correlation, userProperties, ...rest } = properties;
  const set = Object.entries(rest).filter(([, value]) => value !== undefined && !isEmpty(value));
  return {
    ...Object.fromEntries(set),
    ...(correlation === undefined ? {} : { correlation: correlation.toString('hex') }),
    ...(userProperties.length === 0 ? {} : { userProperties }),
  };
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function read(packet: Buffer, bodyAt: number, level: Version): ReturnType<typeof readPublish> {
  return readPublish(packet, packet[0] ?? 0, bodyAt, packet.length, level);
}

function bodyAt(packet: Buffer): number {
  return packet.findIndex((byte, at) => at > 0 && byte < 128) + 1;
}

const publishing = suite('mqtt: PUBLISH');

publishing('an encoded PUBLISH decodes to the same message, also with mqtt-packet', () => {
  fc.assert(
    fc.property(message, dispatch, version, (one, options, level) => {
      const packet = encodePublish(one, options, level);
      assert.is(packet.length, publishSize(one, options, level));
      const found = read(packet, bodyAt(packet), level);
      if ('code' in found) return assert.unreachable(found.reason);
      assert.equal([found.topic, found.qos, found.messageId], [options.topic, options.qos, options.packetId]);
      assert.equal(
        [found.dup, found.retain, found.payload.equals(one.body)],
        [options.dup, options.retain, true],
      );
      if (level === 5) {
        const { properties } = found;
        assert.equal(properties?.userProperties ?? [], one.properties);
        assert.equal(properties?.subscriptionIds ?? [], options.subscriptionIds);
        assert.equal(
          [properties?.messageExpiry, properties?.topicAlias ?? 0, properties?.contentType],
          [options.expiry, options.alias, one.contentType],
        );
      } else assert.is(found.properties, undefined);
      assert.equal(comparable(found), theirs(oracle(packet, level), found));
    }),
  );
});

publishing('a PUBLISH before MQTT 5 is encoded to the same bytes as by mqtt-packet', () => {
  fc.assert(
    fc.property(dispatch, fc.oneof(bytes, large), ({ topic, qos, packetId, dup, retain }, body) => {
      const wanted = generate({
        cmd: 'publish',
        topic,
        payload: body,
        qos,
        messageId: packetId,
        dup,
        retain,
      });
      const one: Message = { ...PLAIN, topic, body, qos, origin: { kind: 'client', client: 'c' } };
      const options = { topic, qos, packetId, dup, retain, expiry: undefined, subscriptionIds: [], alias: 0 };
      assert.ok(encodePublish(one, options, 4).equals(wanted));
    }),
  );
});

/**
 * Comparable form of mqtt-packet's result. `ours` has the order of user properties, which mqtt-packet loses.
 */
function theirs(packet: ReturnType<typeof oracle>, ours: Publish): object | undefined {
  if (packet?.cmd !== 'publish') return undefined;
  const { topic, qos, dup, retain, messageId, payload } = packet;
  return {
    cmd: 'publish',
    topic,
    qos,
    dup,
    retain,
    messageId: messageId ?? 0,
    payload: Buffer.from(payload).toString('hex'),
    properties: ours.properties && theirProperties(packet, ours.properties),
  };
}

function theirProperties({ properties = {} }: IPublishPacket, ours: PublishProperties): object {
  const { payloadFormatIndicator, messageExpiryInterval, correlationData, ...rest } = properties;
  const { subscriptionIdentifier, userProperties, topicAlias, responseTopic, contentType } = rest;
  assert.equal(bundled(ours.userProperties), bundledOf(userProperties));
  const ids = Array.isArray(subscriptionIdentifier) ? subscriptionIdentifier : [subscriptionIdentifier];
  return {
    ...(payloadFormatIndicator === undefined ? {} : { payloadFormat: payloadFormatIndicator ? 1 : 0 }),
    ...(messageExpiryInterval === undefined ? {} : { messageExpiry: messageExpiryInterval }),
    ...(topicAlias === undefined ? {} : { topicAlias }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(subscriptionIdentifier === undefined ? {} : { subscriptionIds: ids }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(correlationData === undefined ? {} : { correlation: correlationData.toString('hex') }),
    ...(ours.userProperties.length === 0 ? {} : { userProperties: ours.userProperties }),
  };
}

/** Returns the sorted user properties without empty values, some of which mqtt-packet loses. */
function bundled(pairs: readonly string[]): string[] {
  const texts: string[] = [];
  for (let at = 0; at < pairs.length; at += 2)
    if (pairs[at + 1] !== '') texts.push(`${pairs[at]}=${pairs[at + 1]}`);
  return texts.sort();
}

function bundledOf(properties: UserProperties | undefined): string[] {
  return bundled(
    Object.entries(properties ?? {}).flatMap(([name, value]) => [value].flat().flatMap(text => [name, text])),
  );
}

/** Reasons for which the hub refuses packets that mqtt-packet accepts. */
const STRICTER: Readonly<Record<string, string>> = {
  'a PUBLISH at QoS 0 is marked as a duplicate': '[MQTT-3.3.1-2]',
  'a PUBLISH has no packet identifier': '[MQTT-2.2.1-3]',
  'a PUBLISH has no topic': '[MQTT-3.3.2-1], [MQTT-4.7.3-1]',
  'a string is not UTF-8 or contains a character that MQTT forbids': '[MQTT-1.5.4-1], [MQTT-1.5.4-2]',
  'a packet is truncated': 'mqtt-packet reads -1 or half a text at the end of a packet',
  'the properties are longer than the packet': 'mqtt-packet reads the available bytes',
  'a variable byte integer has more bytes than necessary': '[MQTT-1.5.5-1]',
  'the topic alias of a PUBLISH is 0': '[MQTT-3.3.2-8]',
  'the response topic of a PUBLISH has wildcards': '[MQTT-3.3.2-14]',
  'it has a property that is not allowed in this packet': '2.2.2.2',
  'the value of a property is neither 0 nor 1': '3.3.2.3.2',
  'a packet has the property subscriptionId with the value 0': '3.3.2.3.8',
};

publishing(
  'a PUBLISH decodes as in mqtt-packet, or is refused by a rule that mqtt-packet does not check',
  () => {
    const valid = fc
      .tuple(message, dispatch, fc.constantFrom<Version>(4, 5))
      .filter(([one]) => one.body.length < 400)
      .map(([one, options, level]) => {
        const packet = encodePublish(one, options, level);
        return { level, first: packet[0] ?? 0, rest: packet.subarray(bodyAt(packet)) };
      });
    const mutated = fc
      .tuple(
        valid,
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
        fc.nat(),
      )
      .map(([{ level, first, rest }, changes, end]) => {
        const changed = Buffer.from(rest);
        for (const [at, value] of changes) changed[at % changed.length] = value;
        const flags = changes.length === 2 ? end & 15 : first & 15;
        const cut = changes.length === 3 ? 1 + (end % changed.length) : changed.length;
        return { level, first: 0x30 | flags, rest: changed.subarray(0, cut) };
      });
    const reasons = new Set<string>();
    fc.assert(
      fc.property(mutated, ({ level, first, rest }) => {
        const { packet, bodyAt: start } = packetOf(first, rest);
        const found = read(packet, start, level);
        const wanted = oracle(packet, level);
        if ('code' in found) {
          reasons.add(found.reason.replace(/property \w+ twice/, 'property twice'));
          const twice = found.reason.includes('twice');
          assert.ok(
            wanted === undefined || twice || STRICTER[found.reason] !== undefined,
            `${found.reason}: ${packet.toString('hex')}`,
          );
          return;
        }
        assert.equal(comparable(found), theirs(wanted, found), packet.toString('hex'));
      }),
      ORACLE_RUNS,
    );
    // The mutations must reach most of the reasons.
    assert.ok(reasons.size >= 8, Array.from(reasons).join('; '));
  },
);

publishing.run();
