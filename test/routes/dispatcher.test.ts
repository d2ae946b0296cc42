import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createDispatcher, type Dispatcher, type RouteSetEntry } from '../../src/routes/dispatcher.ts';
import { printSink } from '../../src/routes/printer.ts';
import { compiled } from './compiled.ts';
import { type Sample, subjectOf } from './subject.ts';

const HOST = '/messages/modules/host/outputs/temp';

const dispatching = suite('routes: dispatcher');

dispatching('the dispatcher sends a message to the sink of every matching route', () => {
  const dispatcher = createDispatcher([
    entry('up', 'FROM /messages/* INTO $upstream'),
    entry('log', 'FROM /messages/modules/host/* INTO BrokeredEndpoint("/modules/logger/inputs/in")'),
    entry('other', 'FROM /messages/modules/other/* INTO topic("never")'),
  ]);
  assert.equal(endpoints(dispatcher, { source: HOST }), [
    '$upstream 9',
    'BrokeredEndpoint("/modules/logger/inputs/in") 9',
  ]);
});

dispatching(
  'a sink of several matching routes receives one message, with priority and TTL of the most urgent route',
  () => {
    const dispatcher = createDispatcher([
      entry('slow', 'FROM /messages/* INTO $upstream', 5, 1000),
      entry('fast', 'FROM /* INTO $upstream', 2, 2000),
      entry('hot', "FROM /* WHERE level = 'hot' INTO $upstream", 0, 3000),
    ]);
    assert.equal(endpoints(dispatcher, { source: HOST }), ['$upstream 2 2000']);
    assert.equal(endpoints(dispatcher, { source: HOST, properties: { level: 'hot' } }), ['$upstream 0 3000']);
  },
);

dispatching(
  'a sink of several matching routes with the same priority receives the TTL of the first route',
  () => {
    const dispatcher = createDispatcher([
      entry('one', 'FROM /* INTO $upstream', 3, 1000),
      entry('two', 'FROM /* INTO $upstream', 3, 2000),
    ]);
    assert.equal(endpoints(dispatcher, { source: HOST }), ['$upstream 3 1000']);
  },
);

dispatching('two inputs of a module with different names are different sinks', () => {
  const dispatcher = createDispatcher([
    entry('a', 'FROM /* INTO BrokeredEndpoint("/modules/m/inputs/a")'),
    entry('b', 'FROM /* INTO BrokeredEndpoint("/modules/m/inputs/b")'),
    entry('t', 'FROM /* INTO topic("/modules/m/inputs/a")'),
  ]);
  assert.is(endpoints(dispatcher, {}).length, 3);
});

dispatching(
  'the dispatcher counts the results true, false, undefined and error of each route separately',
  () => {
    const dispatcher = createDispatcher([
      entry('all', 'FROM /* INTO $upstream', 0),
      entry('hot', 'FROM /* WHERE length($body.s || $body.s) > 3 INTO $upstream'),
      entry('other', 'FROM /messages/modules/other/* INTO $upstream'),
    ]);
    for (const s of ['xx', 'xx', 'x', undefined, 'x'.repeat(1 << 20)]) endpoints(dispatcher, { body: { s } });
    assert.equal(dispatcher.counts(), {
      all: { matched: 5, unmatched: 0, undefined: 0, errors: 0 },
      hot: { matched: 2, unmatched: 1, undefined: 1, errors: 1 },
      other: { matched: 0, unmatched: 0, undefined: 0, errors: 0 },
    });
  },
);

dispatching('`counts` returns a snapshot that later messages do not change', () => {
  const dispatcher = createDispatcher([entry('all', 'FROM /* INTO $upstream')]);
  const before = dispatcher.counts();
  endpoints(dispatcher, {});
  assert.is(before['all']?.matched, 0);
  assert.is(dispatcher.counts()['all']?.matched, 1);
});

dispatching('the dispatcher matches one message with routes from topics and with routes from paths', () => {
  const dispatcher = createDispatcher([
    entry('path', 'FROM /messages/* INTO $upstream', 5),
    entry('topic', 'FROM topic("sensors/+/temp") INTO $upstream', 1),
    entry('alarm', 'FROM topic("alarms/#") INTO topic("all")'),
  ]);
  assert.equal(endpoints(dispatcher, { topic: 'sensors/1/temp' }), ['$upstream 1']);
  assert.equal(endpoints(dispatcher, { topic: 'sensors/1/wind' }), ['$upstream 5']);
  assert.equal(endpoints(dispatcher, { topic: 'alarms/fire' }), ['$upstream 5', 'topic("all") 9']);
  assert.equal(endpoints(dispatcher, { topic: 'sensors/1/temp' }), ['$upstream 1']);
});

dispatching(
  'a message that a sink sends during the dispatch of another message is dispatched separately',
  () => {
    const dispatcher = createDispatcher([
      entry('first', 'FROM topic("a") INTO topic("b")'),
      entry('second', 'FROM topic("a") INTO $upstream'),
      entry('third', 'FROM topic("b") INTO $upstream'),
    ]);
    const sinks: string[] = [];
    dispatcher.dispatch(subjectOf({ topic: 'a' }), sink => {
      sinks.push(`a: ${printSink(sink)}`);
      if (sink.kind !== 'topic') return;
      dispatcher.dispatch(subjectOf({ topic: sink.topic }), inner => sinks.push(`b: ${printSink(inner)}`));
    });
    assert.equal(sinks, ['a: topic("b")', 'b: $upstream', 'a: $upstream']);
  },
);

dispatching('the dispatcher routes correctly after more topics than its cache can hold', () => {
  const dispatcher = createDispatcher([entry('temp', 'FROM topic("sensors/+/temp") INTO $upstream')]);
  for (const round of [1, 2]) {
    for (let sensor = 0; sensor < 3000; sensor += 1) {
      const sinks = endpoints(dispatcher, { topic: `sensors/${sensor}/temp` });
      assert.equal(sinks, ['$upstream 9'], `round ${round}`);
    }
  }
  assert.equal(endpoints(dispatcher, { topic: `sensors/${'9'.repeat(1000)}/temp` }), ['$upstream 9']);
  assert.is(dispatcher.counts()['temp']?.matched, 6001);
});

dispatching('a dispatcher without routes matches no message', () => {
  assert.equal(endpoints(createDispatcher([]), {}), []);
});

function entry(name: string, text: string, priority = 9, ttl?: number): RouteSetEntry {
  return { name, route: compiled(text), priority, ttl };
}

/** Destinations of a sample: sink, priority and TTL. */
function endpoints(dispatcher: Dispatcher, sample: Sample): string[] {
  const sinks: string[] = [];
  dispatcher.dispatch(subjectOf(sample), (sink, priority, ttl) => {
    sinks.push(`${printSink(sink)} ${priority}${ttl === undefined ? '' : ` ${ttl}`}`);
  });
  return sinks;
}

dispatching.run();
