import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { containedExceptions } from '../../../src/core/containment.ts';
import { createStoreHarness, messageOf, to } from '../../harness/queue.ts';

const contained = suite('queue: exceptions of callbacks');

contained(
  'an exception in the callback of one message does not prevent the calls for other messages',
  async () => {
    const harness = await createStoreHarness();
    const before = containedExceptions();
    const called: string[] = [];
    for (const name of ['one', 'throws', 'two']) {
      harness.store.append(messageOf(name), [to('q')], () => {
        called.push(name);
        if (name === 'throws') throw new Error('of the sender');
      });
    }
    harness.store.put('name', Buffer.from('value'), () => {
      throw new Error('of the metadata callback');
    });
    harness.store.put('other', Buffer.from('value'), () => called.push('put'));
    await harness.commit();
    assert.equal(called, ['one', 'throws', 'two', 'put']);
    assert.is(containedExceptions(), before + 2);
    await harness.finish();
  },
);

contained.run();
