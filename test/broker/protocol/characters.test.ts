import type { Packet } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PLAIN } from '../../../src/core/message.ts';
import { forbiddenCharacterIn, messageProblem } from '../../../src/core/text/characters.ts';
import type { Client, ConnectOptions } from '../../harness/broker.ts';
import { brief, withBroker } from '../../harness/broker.ts';
import { publishOf } from '../../harness/clients/mqtt5.ts';

const characters = suite('broker: forbidden characters');

/**
 * Characters that MQTT forbids in strings, with their UTF-8 bytes. A surrogate is invalid UTF-8.
 */
const FORBIDDEN: readonly (readonly [name: string, utf8: string])[] = [
  ['U+0000', '00'],
  ['U+0001', '01'],
  ['U+0009', '09'],
  ['U+000A', '0a'],
  ['U+001B', '1b'],
  ['U+001F', '1f'],
  ['U+007F', '7f'],
  ['U+0080', 'c280'],
  ['U+0085', 'c285'],
  ['U+009F', 'c29f'],
  ['U+D800', 'eda080'],
  ['U+DFFF', 'edbfbf'],
  ['U+FDD0', 'efb790'],
  ['U+FDEF', 'efb7af'],
  ['U+FFFE', 'efbfbe'],
  ['U+FFFF', 'efbfbf'],
  ['U+1FFFE', 'f09fbfbe'],
  ['U+10FFFF', 'f48fbfbf'],
];

/** Characters next to the forbidden ones, a byte order mark, the replacement character and an emoji. */
const ALLOWED = ' ~\u00a0\ufdcf\ufdf0\ufeff\ufffd\u{1f600}\u{1fffd}\u{10fffd}';

/** Forbidden characters that are sent in each field. */
const TRIED = FORBIDDEN.filter(([name]) => ['U+0000', 'U+0001', 'U+0085', 'U+D800', 'U+FFFE'].includes(name));

/** Fields of packets that are strings. */
const PLACES: readonly (readonly [place: string, version: 4 | 5, packet: (text: string) => Packet])[] = [
  ['topic', 4, text => publishOf(`a/${text}`, 'x', 0)],
  ['topic', 5, text => publishOf(`a/${text}`, 'x', 1)],
  ['content type', 5, text => publishOf('a', 'x', 0, { contentType: text })],
  ['response topic', 5, text => publishOf('a', 'x', 2, { responseTopic: text })],
  ['property name', 5, text => publishOf('a', 'x', 0, { userProperties: { [text]: 'v' } })],
  ['property value', 5, text => publishOf('a', 'x', 0, { userProperties: { n: text } })],
  ['filter', 4, text => ({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: text, qos: 1 }] })],
  ['filter to leave', 4, text => ({ cmd: 'unsubscribe', messageId: 1, unsubscriptions: [text] })],
  [
    'property of an acknowledgement',
    5,
    text => ({ cmd: 'puback', messageId: 1, reasonCode: 0x80, properties: { userProperties: { n: text } } }),
  ],
  [
    'property of DISCONNECT',
    5,
    text => ({ cmd: 'disconnect', reasonCode: 0, properties: { userProperties: { n: text } } }),
  ],
];

const WILL = { topic: 'a', payload: Buffer.from('x'), qos: 0, retain: false } as const;

const OF_CONNECT: readonly (readonly [
  place: string,
  version: 4 | 5,
  options: (text: string) => ConnectOptions,
])[] = [
  ['client identifier', 4, text => ({ clientId: `c${text}` })],
  ['client identifier', 5, text => ({ clientId: `c${text}` })],
  ['user name', 4, text => ({ username: text })],
  ['topic of a will', 4, text => ({ will: { ...WILL, topic: text } })],
  ['property of a will', 5, text => ({ will: { ...WILL, properties: { contentType: text } } })],
  ['authentication method', 5, text => ({ properties: { authenticationMethod: text } })],
];

/**
 * Calls `send` with a placeholder, and writes its packet with the bytes `utf8` instead of the placeholder.
 */
function sendWith(client: Client, send: (text: string) => void, utf8: string): void {
  const character = Buffer.from(utf8, 'hex');
  const text = '@'.repeat(character.length);
  const write = client.socket.write.bind(client.socket);
  const sent: Buffer[] = [];
  client.socket.write = (bytes: Buffer | string) => sent.push(Buffer.from(bytes)) > 0;
  send(text);
  client.socket.write = write;
  const packet = Buffer.concat(sent);
  character.copy(packet, packet.indexOf(text));
  client.write(packet);
}

characters('`forbiddenCharacterIn` returns the first forbidden character of a text', () => {
  for (const [name, utf8] of FORBIDDEN) {
    const code = Number.parseInt(name.slice(2), 16);
    assert.is(forbiddenCharacterIn(`a${String.fromCodePoint(code)}`), name, utf8);
  }
  assert.is(forbiddenCharacterIn(ALLOWED), undefined);
});

characters(
  'every string of a PUBLISH is checked for forbidden characters, but the payload is not checked',
  () => {
    const message = { ...PLAIN, topic: 'a', body: Buffer.from([0, 1, 0xff]) };
    assert.is(messageProblem(message), undefined);
    const problem = (changes: object) => messageProblem({ ...message, ...changes });
    assert.is(problem({ topic: 'a\u0001' }), 'its topic contains the character U+0001, which MQTT forbids');
    assert.match(
      problem({ contentType: '\u007f' }) ?? '',
      /^its content type contains the character U\+007F/,
    );
    assert.match(problem({ responseTopic: '\ud800' }) ?? '', /^its response topic .* U\+D800/);
    assert.match(problem({ properties: ['n', '\ufffe'] }) ?? '', /^its property .* U\+FFFE/);
    assert.is(problem({ properties: ['k', 'x'.repeat(65_536)] }), 'its property is longer than 65535 bytes');
    assert.is(problem({ properties: ['k', 'ü'.repeat(32_767)] }), undefined);
  },
);

characters(
  'a packet with a forbidden character in any of its strings closes the connection as a malformed packet',
  () =>
    withBroker(async broker => {
      const subscriber = await broker.client();
      await subscriber.connect({ clientId: 'subscriber' });
      await subscriber.subscribe('#', 0);
      for (const [place, version, packet] of PLACES) {
        const valid = await broker.client(version);
        await valid.connect({ clientId: 'valid' });
        valid.send(packet('valid'));
        const isEnd = place === 'property of DISCONNECT';
        assert.is((await valid.roundTrip()).includes('closed'), isEnd, place);
        if (!isEnd) valid.send({ cmd: 'disconnect' });
        await subscriber.roundTrip();
        for (const [name, utf8] of TRIED) {
          const client = await broker.client(version);
          await client.connect({ clientId: name });
          sendWith(client, text => client.send(packet(text)), utf8);
          const what = `${name} as ${place}`;
          if (version === 5) assert.is(disconnected(await client.next()), 0x81, what);
          assert.is(brief(await client.next()), 'closed', what);
        }
        assert.equal(await subscriber.roundTrip(), [], place);
      }
    }),
);

characters('a CONNECT with a forbidden character in any of its strings is refused', () =>
  withBroker(async broker => {
    for (const [place, version, options] of OF_CONNECT) {
      for (const [name, utf8] of TRIED) {
        const client = await broker.client(version);
        sendWith(client, text => client.send(connectOf(version, options(text))), utf8);
        const answer = place === 'client identifier' && isText(utf8) ? 'refused' : 'closed';
        assert.is(await refusalOf(client), answer, `${name} as ${place}`);
      }
    }
  }),
);

characters('characters adjacent to a forbidden range are forwarded unchanged', () =>
  withBroker(async broker => {
    const subscriber = await broker.client(5);
    await subscriber.connect({ clientId: `s${ALLOWED}` });
    await subscriber.subscribe(`t/${ALLOWED}`, 0);
    const publisher = await broker.client(5);
    await publisher.connect({ clientId: 'p' });
    const body = Buffer.from(FORBIDDEN.map(([, utf8]) => utf8).join(''), 'hex');
    publisher.send({
      ...publishOf(`t/${ALLOWED}`, '', 0, { contentType: ALLOWED, userProperties: { [ALLOWED]: ALLOWED } }),
      payload: body,
    } as Packet);
    const received = await subscriber.next();
    if (received === 'closed' || received.cmd !== 'publish') throw new Error(brief(received));
    assert.is(received.topic, `t/${ALLOWED}`);
    assert.equal(received.payload, body);
    assert.is(received.properties?.contentType, ALLOWED);
    assert.equal({ ...received.properties?.userProperties }, { [ALLOWED]: ALLOWED });
  }),
);

function connectOf(version: 4 | 5, options: ConnectOptions): Packet {
  const plain = { clientId: 'c', clean: true, keepalive: 0 } as const;
  return { cmd: 'connect', protocolId: 'MQTT', protocolVersion: version, ...plain, ...options };
}

function disconnected(packet: Packet | 'closed'): number | undefined {
  return packet !== 'closed' && packet.cmd === 'disconnect' ? packet.reasonCode : undefined;
}

/** Resolves to `refused` if a CONNACK rejects the client identifier, to `closed` without a CONNACK. */
async function refusalOf(client: Client): Promise<string> {
  const first = await client.next();
  if (first === 'closed') return 'closed';
  assert.ok(['connack 2', 'connack 133'].includes(brief(first)), brief(first));
  assert.is(brief(await client.next()), 'closed');
  return 'refused';
}

/** False for U+0000 and for invalid UTF-8, which make a packet malformed in every field. */
function isText(utf8: string): boolean {
  return utf8 !== '00' && !utf8.startsWith('eda0') && utf8 !== 'edbfbf';
}

characters.run();
