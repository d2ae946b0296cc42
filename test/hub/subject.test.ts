import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { propertiesForParent } from '../../src/core/child-source.ts';
import { type Message, PLAIN } from '../../src/core/message.ts';
import { createSubject } from '../../src/hub/routing/subject.ts';
import { SYSTEM_PROPERTIES } from '../../src/routes/system.ts';

const NOON = Date.UTC(2026, 10, 23, 12);
const CLIENT: Message = {
  ...PLAIN,
  topic: 'sensors/1',
  body: Buffer.from('{"n":1}'),
  qos: 1,
  origin: { kind: 'client', client: 'c' },
};
const MODULE: Message = { ...CLIENT, origin: { kind: 'module', module: 'host', output: 'temp' } };

const subjects = suite('hub: subject of a route');

const subject = createSubject('greenhouse', () => NOON);

function system(message: Message, name: string): string | null | undefined {
  return subject.of(message).system(name);
}

subjects('a route sees the source, topic, device, module and output of a message from a module', () => {
  const { source, topic } = subject.of(MODULE);
  assert.equal([source, topic], ['/messages/modules/host/outputs/temp', 'sensors/1']);
  assert.is(system(MODULE, 'connectionDeviceId'), 'greenhouse');
  assert.is(system(MODULE, 'connectionModuleId'), 'host');
  assert.is(system(MODULE, 'outputName'), 'temp');
  assert.is(system({ ...MODULE, contentType: 'text/plain' }, 'contentType'), 'text/plain');
  assert.is(subject.of(CLIENT).source, '/messages');
  assert.is(system(CLIENT, 'connectionModuleId'), undefined);
  const bare: Message = { ...MODULE, origin: { kind: 'module', module: 'host', output: '' } };
  assert.is(subject.of(bare).source, '/messages/modules/host');
  assert.is(system(bare, 'outputName'), undefined);
});

subjects('a route sees no device, module or output of a message from upstream', () => {
  const down: Message = {
    ...CLIENT,
    origin: { kind: 'upstream', upstream: 'upstream' },
    contentType: 'text/plain',
  };
  const { source, topic } = subject.of(down);
  assert.equal([source, topic], ['$upstream', 'sensors/1']);
  for (const name of ['connectionDeviceId', 'connectionModuleId', 'outputName']) {
    assert.is(system({ ...down, properties: [`$${name}`, 'forged'] }, name), undefined, name);
  }
  assert.is(system(down, 'contentType'), 'text/plain');
  assert.is(system(down, 'enqueuedTime'), '2026-11-23T12:00:00.000Z');
  assert.is(system({ ...down, properties: ['$to', 'valve'] }, 'to'), 'valve');
  assert.is(subject.of(CLIENT).source, '/messages');
  assert.is(subject.of(MODULE).source, '/messages/modules/host/outputs/temp');
  assert.is(subject.of(down).source, '$upstream');
});

subjects(
  'properties such as $childDevice are read from messages of a child hub, not from messages of a module',
  () => {
    const origin = { kind: 'module', module: 'm', output: 'o' } as const;
    const properties = propertiesForParent({ origin, properties: [], topic: 'modules/m/outputs/o' }, 'edge');
    const told: Message = { ...CLIENT, properties: properties ?? [] };
    const names = ['childDevice', 'childModule', 'childOutput', 'childTopic'];
    const said = names.map(name => system(told, name));
    assert.equal(said, ['edge', 'm', 'o', undefined]);
    assert.is(system(told, 'connectionDeviceId'), 'greenhouse');
    assert.is(system(told, 'connectionModuleId'), undefined);
    assert.equal(
      names.map(name => system({ ...told, origin: MODULE.origin }, name)),
      names.map(() => undefined),
    );
  },
);

subjects(
  'enqueuedTime is the time at which the message was queued, or the current time if it was not queued',
  () => {
    assert.is(subject.of(CLIENT).system('enqueuedTime'), '2026-11-23T12:00:00.000Z');
    assert.is(subject.of(CLIENT, 60_000).system('enqueuedTime'), '2026-11-23T11:59:00.000Z');
  },
);

subjects(
  'correlationId is the correlation data of a message as text, or undefined if the data is not UTF-8',
  () => {
    assert.is(system({ ...CLIENT, correlation: Buffer.from('Ä-7') }, 'correlationId'), 'Ä-7');
    assert.is(system({ ...CLIENT, correlation: Buffer.from([0xff]) }, 'correlationId'), undefined);
    assert.is(system({ ...CLIENT, properties: ['$correlationId', 'said'] }, 'correlationId'), 'said');
  },
);

subjects(
  'a system property without an MQTT field, such as messageId, is read from the last user property $messageId',
  () => {
    const properties = ['$messageId', '1', '$messageId', '2', 'messageId', '3', '$to', 'x'];
    assert.is(system({ ...CLIENT, properties }, 'messageId'), '2');
    assert.is(system({ ...CLIENT, properties }, 'to'), 'x');
    assert.is(system({ ...CLIENT, properties }, 'userId'), undefined);
  },
);

subjects('a sender cannot forge a system property that the hub sets', () => {
  const properties = Array.from(SYSTEM_PROPERTIES.skerry, name => [`$${name}`, 'forged']).flat();
  const forged: Message = { ...MODULE, properties, contentType: 'application/json' };
  const known = ['connectionDeviceId', 'connectionModuleId', 'outputName', 'contentType', 'enqueuedTime'];
  for (const name of known) assert.is.not(system(forged, name), 'forged', name);
  assert.is(system({ ...CLIENT, properties }, 'connectionModuleId'), undefined);
});

subjects('contentEncoding of JSON and text is UTF-8 unless the message sets another encoding', () => {
  assert.is(system(CLIENT, 'contentEncoding'), undefined);
  assert.is(system({ ...CLIENT, contentType: 'application/json' }, 'contentEncoding'), 'utf-8');
  assert.is(system({ ...CLIENT, payloadFormat: 1 }, 'contentEncoding'), 'utf-8');
  const properties = ['$contentEncoding', 'utf-16'];
  assert.is(system({ ...CLIENT, payloadFormat: 1, properties }, 'contentEncoding'), 'utf-16');
});

subjects('a body is decoded once, with the contentEncoding of the message', () => {
  const utf16: Message = {
    ...CLIENT,
    body: Buffer.from('{"n":2}', 'utf16le'),
    properties: ['$contentEncoding', 'utf-16'],
  };
  assert.equal(subject.of(utf16).body(), { n: 2 });
  const asked = subject.of(CLIENT);
  assert.is(asked.body(), asked.body());
  assert.equal(asked.body(), { n: 1 });
  assert.is(subject.of({ ...CLIENT, body: Buffer.from('x') }).body(), undefined);
});

subjects.run();
