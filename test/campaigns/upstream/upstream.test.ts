import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { holds, SMALL } from './holds.ts';
import { bodyOf, judge } from './judge.ts';

const campaigns = suite('upstream: hubs are killed, brokers and networks fail, and nothing is lost');

campaigns('the judge finds what is lost, repeated, out of order and nobody’s', () => {
  const published = new Map([
    ['a', 4],
    ['b', 1],
  ]);
  const came = [bodyOf('a', 1), bodyOf('a', 3), bodyOf('a', 2), bodyOf('a', 3), bodyOf('b', 2), 'a 4'];
  assert.equal(judge(published, came), { lost: 2, repeated: 1, outOfOrder: 1, foreign: 2 });
  assert.equal(judge(new Map([['b', 1]]), [bodyOf('b', 1)]), {
    lost: 0,
    repeated: 0,
    outOfOrder: 0,
    foreign: 0,
  });
});

campaigns('mosquitto: all arrives in order, though it and the hub are killed', () =>
  holds({ ...SMALL, kind: 'mosquitto' }),
);

campaigns(
  'RabbitMQ: all arrives in order and is in its durable queue, though it and the hub are killed',
  () => holds({ ...SMALL, kind: 'rabbitmq' }),
);

campaigns.run();
