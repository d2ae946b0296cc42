import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { withBroker } from '../../harness/broker.ts';

const violations = suite('broker: violations');

/** Packets that no connected client may send: the connection ends without an answer. */
const VIOLATIONS: readonly (readonly [rule: string, packet: string])[] = [
  ['[MQTT-2.3.1-1] PUBLISH at QoS 1 with the identifier 0', '\x32\x09\x00\x04kept\x00\x00x'],
  ['PUBLISH at QoS 1 that ends before its identifier', '\x32\x06\x00\x04kept'],
  ['PUBLISH at QoS 1 that ends within its identifier', '\x32\x07\x00\x04kept\x01'],
  ['[MQTT-3.3.1-4] PUBLISH at QoS 3', '\x36\x06\x00\x01a\x00\x01x'],
  ['[MQTT-4.7.3-1] PUBLISH on an empty topic', '\x30\x03\x00\x00x'],
  ['PUBLISH whose topic is longer than the packet', '\x30\x04\x00\x09ab'],
  ['[MQTT-2.3.1-1] SUBSCRIBE with the identifier 0', '\x82\x06\x00\x00\x00\x01a\x00'],
  ['[MQTT-3.8.1-1] SUBSCRIBE with other flags', '\x80\x06\x00\x01\x00\x01a\x00'],
  ['[MQTT-3.8.3-3] SUBSCRIBE to nothing', '\x82\x02\x00\x01'],
  ['[MQTT-3-8.3-4] SUBSCRIBE at QoS 3', '\x82\x06\x00\x01\x00\x01a\x03'],
  ['SUBSCRIBE without a QoS', '\x82\x05\x00\x01\x00\x01a'],
  ['[MQTT-2.3.1-1] UNSUBSCRIBE with the identifier 0', '\xa2\x05\x00\x00\x00\x01a'],
  ['[MQTT-3.10.1-1] UNSUBSCRIBE with other flags', '\xa0\x05\x00\x01\x00\x01a'],
  ['[MQTT-3.10.3-2] UNSUBSCRIBE from nothing', '\xa2\x02\x00\x01'],
  ['PUBACK that ends within its identifier', '\x40\x01\x00'],
  ['PUBREC that ends within its identifier', '\x50\x01\x00'],
  ['[MQTT-3.6.1-1] PUBREL without its flag', '\x60\x02\x00\x01'],
  ["CONNACK, which is the server's", '\x20\x02\x00\x00'],
  ["SUBACK, which is the server's", '\x90\x03\x00\x01\x00'],
  ["PINGRESP, which is the server's", '\xd0\x00'],
  ['[MQTT-3.14.1-1] DISCONNECT with flags', '\xe1\x00'],
  ['AUTH, which belongs to MQTT 5', '\xf0\x00'],
  ['a type that is reserved', '\x00\x00'],
  ['a remaining length of five bytes', '\x30\xff\xff\xff\xff\x01'],
  ['a packet over the limit, by its header alone', '\x30\xff\xff\xff\x7f'],
  ['bytes without a meaning', '\x93\x04\x7f\x00\xd4\x88'],
];

for (const [rule, packet] of VIOLATIONS) {
  violations(`${rule}: closed, and others feel nothing`, () =>
    withBroker(async stage => {
      const bystander = await stage.client();
      await bystander.connect({ clientId: 'bystander' });
      // Kept messages are settled outside of the packet's own turn: what goes wrong there would reach
      // everybody.
      const bad = await stage.client();
      await bad.connect({ clientId: 'bad', clean: false });
      await bad.subscribe('kept', 1);
      bad.write(Buffer.from(packet, 'latin1'));
      assert.is(await bad.next(), 'closed');
      assert.equal(await bystander.roundTrip(), []);
      assert.not(
        stage.log.some(line => line.startsWith('error')),
        stage.log.join('\n'),
      );
    }),
  );
}

/** Unusual but valid packets: they are answered, and the connection stays. */
const ALLOWED: readonly (readonly [rule: string, packet: string, answers: readonly string[]])[] = [
  ['[MQTT-3.10.4-5] UNSUBSCRIBE from what it never subscribed to', '\xa2\x05\x00\x01\x00\x01z', ['unsuback']],
  ['PUBACK for what was never sent', '\x40\x02\x00\x07', []],
  ['[MQTT-3.3.1-1] PUBLISH marked DUP', '\x3a\x06\x00\x01a\x00\x01x', ['puback']],
  ['PUBLISH with an empty body', '\x32\x05\x00\x01a\x00\x01', ['puback']],
];

for (const [rule, packet, answers] of ALLOWED) {
  violations(`${rule}: is none`, () =>
    withBroker(async stage => {
      const client = await stage.client();
      await client.connect({});
      client.write(Buffer.from(packet, 'latin1'));
      assert.equal(await client.roundTrip(), answers);
    }),
  );
}

violations.run();
