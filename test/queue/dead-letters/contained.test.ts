import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { containedExceptions } from '../../../src/core/containment.ts';
import { createStoreHarness, messageOf, to } from '../../harness/queue.ts';

const contained = suite('queue: exceptions of callbacks');

contained('a sender that throws when it is told of its message keeps no other from being told', async () => {
  const stage = await createStoreHarness();
  const before = containedExceptions();
  const told: string[] = [];
  for (const name of ['one', 'throws', 'two']) {
    stage.store.append(messageOf(name), [to('q')], () => {
      told.push(name);
      if (name === 'throws') throw new Error('of the sender');
    });
  }
  stage.store.put('name', Buffer.from('value'), () => {
    throw new Error('of the one who put it');
  });
  stage.store.put('other', Buffer.from('value'), () => told.push('put'));
  await stage.commit();
  assert.equal(told, ['one', 'throws', 'two', 'put']);
  assert.is(containedExceptions(), before + 2);
  await stage.finish();
});

contained.run();
