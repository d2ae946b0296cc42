import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { withBroker } from '../../harness/broker.ts';

const violations = suite('broker: protocol violations');

/** Packets that a connected client must not send. The connection closes without an answer. */
const VIOLATIONS: readonly (readonly [rule: string, packet: string])[] = [
  ['[MQTT-2.3.1-1] a PUBLISH at QoS 1 with packet identifier 0', '\x32\x09\x00\x04kept\x00\x00x'],
  ['a PUBLISH at QoS 1 that ends before its identifier', '\x32\x06\x00\x04kept'],
  ['a PUBLISH at QoS 1 that ends within its identifier', '\x32\x07\x00\x04kept\x01'],
  ['[MQTT-3.3.1-4] a PUBLISH at QoS 3', '\x36\x06\x00\x01a\x00\x01x'],
  ['[MQTT-4.7.3-1] a PUBLISH on an empty topic', '\x30\x03\x00\x00x'],
  ['a PUBLISH whose topic is longer than the packet', '\x30\x04\x00\x09ab'],
  ['[MQTT-2.3.1-1] a SUBSCRIBE with packet identifier 0', '\x82\x06\x00\x00\x00\x01a\x00'],
  ['[MQTT-3.8.1-1] a SUBSCRIBE with wrong flags', '\x80\x06\x00\x01\x00\x01a\x00'],
  ['[MQTT-3.8.3-3] a SUBSCRIBE without filters', '\x82\x02\x00\x01'],
  ['[MQTT-3-8.3-4] a SUBSCRIBE at QoS 3', '\x82\x06\x00\x01\x00\x01a\x03'],
  ['a SUBSCRIBE without a QoS', '\x82\x05\x00\x01\x00\x01a'],
  ['[MQTT-2.3.1-1] an UNSUBSCRIBE with packet identifier 0', '\xa2\x05\x00\x00\x00\x01a'],
  ['[MQTT-3.10.1-1] an UNSUBSCRIBE with wrong flags', '\xa0\x05\x00\x01\x00\x01a'],
  ['[MQTT-3.10.3-2] an UNSUBSCRIBE without filters', '\xa2\x02\x00\x01'],
  ['a PUBACK that ends within its identifier', '\x40\x01\x00'],
  ['a PUBREC that ends within its identifier', '\x50\x01\x00'],
  ['[MQTT-3.6.1-1] a PUBREL without its flag', '\x60\x02\x00\x01'],
  ['a CONNACK, which only a server sends,', '\x20\x02\x00\x00'],
  ['a SUBACK, which only a server sends,', '\x90\x03\x00\x01\x00'],
  ['a PINGRESP, which only a server sends,', '\xd0\x00'],
  ['[MQTT-3.14.1-1] a DISCONNECT with flags', '\xe1\x00'],
  ['an AUTH packet of an MQTT 3.1.1 client', '\xf0\x00'],
  ['a reserved packet type', '\x00\x00'],
  ['a Remaining Length of five bytes', '\x30\xff\xff\xff\xff\x01'],
  ['a header that announces more than the maximum packet size', '\x30\xff\xff\xff\x7f'],
  ['a sequence of random bytes', '\x93\x04\x7f\x00\xd4\x88'],
];

for (const [rule, packet] of VIOLATIONS) {
  violations(`${rule} closes the connection and affects no other connection`, () =>
    withBroker(async broker => {
      const other = await broker.client();
      await other.connect({ clientId: 'other' });
      // Stored messages are acknowledged outside of the call that handles their packet. An exception there
      // would affect all connections.
      const client = await broker.client();
      await client.connect({ clientId: 'client', clean: false });
      await client.subscribe('kept', 1);
      client.write(Buffer.from(packet, 'latin1'));
      assert.is(await client.next(), 'closed');
      assert.equal(await other.roundTrip(), []);
      assert.not(
        broker.log.some(line => line.startsWith('error')),
        broker.log.join('\n'),
      );
    }),
  );
}

/** Unusual but valid packets with their answers. The connection stays open. */
const ALLOWED: readonly (readonly [rule: string, packet: string, answers: readonly string[]])[] = [
  [
    '[MQTT-3.10.4-5] an UNSUBSCRIBE from a filter without a subscription',
    '\xa2\x05\x00\x01\x00\x01z',
    ['unsuback'],
  ],
  ['a PUBACK with an unknown packet identifier', '\x40\x02\x00\x07', []],
  ['[MQTT-3.3.1-1] a PUBLISH with DUP', '\x3a\x06\x00\x01a\x00\x01x', ['puback']],
  ['a PUBLISH with an empty body', '\x32\x05\x00\x01a\x00\x01', ['puback']],
];

for (const [rule, packet, answers] of ALLOWED) {
  violations(`${rule} is accepted`, () =>
    withBroker(async broker => {
      const client = await broker.client();
      await client.connect({});
      client.write(Buffer.from(packet, 'latin1'));
      assert.equal(await client.roundTrip(), answers);
    }),
  );
}

violations.run();
