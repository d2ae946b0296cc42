import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { networkOf } from '../../src/core/net/network.ts';

const NETWORKS: Readonly<Record<string, string>> = {
  '192.0.2.1': '192.0.2.1',
  '::1': '0:0:0:0::/64',
  '2001:db8::1': '2001:db8:0:0::/64',
  '2001:db8:0:1:2:3:4:5': '2001:db8:0:1::/64',
  '2001:0DB8:0000:0001::': '2001:db8:0:1::/64',
  'fe80::1%eth0': 'fe80:0:0:0::/64',
  '1:2:3:4:5:6:7::': '1:2:3:4::/64',
  '::ffff:192.0.2.1': '::ffff:192.0.2.1',
  'unix:/run/a.sock': 'unix:/run/a.sock',
  unknown: 'unknown',
};

const network = suite('core: network');

for (const [address, expected] of Object.entries(NETWORKS)) {
  network(`the network of ${address} is ${expected}`, () => {
    assert.is(networkOf(address), expected);
  });
}

network.run();
