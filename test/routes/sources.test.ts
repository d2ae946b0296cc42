import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createDispatcher } from '../../src/routes/dispatcher.ts';
import { compileRoute } from '../../src/routes/route.ts';
import { sourceMatches, upstreamSource } from '../../src/routes/sources.ts';
import { compiled } from './compiled.ts';
import { subjectOf } from './subject.ts';

const OUTPUT = '/messages/modules/Host/outputs/temp';

/** Source of a route, source of a message, and the expected match. */
const PATHS: readonly (readonly [string, string, boolean])[] = [
  ['/*', OUTPUT, true],
  ['/', OUTPUT, true],
  ['/*', '/messages', true],
  ['/*', '/twinChangeNotifications', true],
  ['/messages', OUTPUT, true],
  ['/messages/*', OUTPUT, true],
  ['/messages/*', '/messages', true],
  ['/messages/', '/messages', true],
  ['/messages/*', '/twinChangeNotifications', false],
  ['/messages/*', '/messagesfoo', false],
  ['/messages/modules/*', OUTPUT, true],
  ['/messages/modules/*', '/messages', false],
  ['/messages/modules/*', '/messages/modules/a', true],
  ['/messages/modules/host/*', OUTPUT, true],
  ['/messages/modules/host', OUTPUT, true],
  ['/messages/modules/HOST/*', OUTPUT, true],
  ['/Messages/Modules/host/*', OUTPUT, true],
  ['/messages/modules/hos/*', OUTPUT, false],
  ['/messages/modules/host2/*', OUTPUT, false],
  ['/messages/modules/host/outputs/*', OUTPUT, true],
  ['/messages/modules/host/outputs/*', '/messages/modules/host', false],
  ['/messages/modules/host/outputs/temp', OUTPUT, true],
  ['/messages/modules/host/outputs/TEMP', OUTPUT, true],
  ['/messages/modules/host/outputs/temp/*', OUTPUT, true],
  ['/messages/modules/host/outputs/tem', OUTPUT, false],
  ['/messages/modules/host/outputs/*/*//', OUTPUT, true],
];

/** Filter, topic and the expected match (MQTT 3.1.1, 4.7). */
const TOPICS: readonly (readonly [string, string, boolean])[] = [
  ['sensors/1/temp', 'sensors/1/temp', true],
  ['sensors/1/temp', 'sensors/1/Temp', false],
  ['sensors/+/temp', 'sensors/1/temp', true],
  ['sensors/+/temp', 'sensors/1/2/temp', false],
  ['sensors/+/temp', 'sensors//temp', true],
  ['sensors/+', 'sensors', false],
  ['sensors/+', 'sensors/', true],
  ['+/+', '/a', true],
  ['/+', '/a', true],
  ['+', '/a', false],
  ['#', 'a/b/c', true],
  ['sensors/#', 'sensors', true],
  ['sensors/#', 'sensors/1/temp', true],
  ['sensors/#', 'sensorsx', false],
  ['sensors/1', 'sensors', false],
  ['sensors', 'sensors/1', false],
  ['#', '$SYS/load', false],
  ['+/load', '$SYS/load', false],
  ['$SYS/#', '$SYS/load', true],
  ['$SYS/+', '$SYS/load', true],
  ['a/#', 'a/$b', true],
];

/** Sources with the expected match of upstream messages on `commands/a` and `$aws/a`. */
const DOWN: readonly (readonly [pattern: string, plain: boolean, dollar: boolean])[] = [
  ['$upstream', true, true],
  ['$UpStream', true, true],
  ['$upstream("commands/+")', true, false],
  ["$upstream ( '#' )", true, false],
  ['$upstream("$aws/#")', false, true],
  ['$upstream("commands")', false, false],
  ['/*', false, false],
  ['/', false, false],
  ['/messages/*', false, false],
  ['/twinChangeNotifications', false, false],
  ['topic("#")', false, false],
  ['topic("commands/a")', false, false],
  ['topic("$aws/#")', false, false],
];

const sources = suite('routes: sources');

function verb(match: boolean): string {
  return match ? 'matches' : 'does not match';
}

for (const [pattern, plain, dollar] of DOWN) {
  sources(`the source ${pattern} ${verb(plain)} commands/a from upstream and ${verb(dollar)} $aws/a`, () => {
    const matched = ['commands/a', '$aws/a'].map(topic =>
      routeMatches(pattern, '$upstream', topic, 'topic("t")'),
    );
    assert.equal(matched, [plain, dollar]);
  });
}

/**
 * Sources with the expected match of messages from the upstreams `upstream` and `cloud`.
 */
const NAMED: readonly (readonly [pattern: string, fromDefault: boolean, fromCloud: boolean])[] = [
  ['$upstream', true, true],
  ['$upstream/upstream', true, false],
  ['$upstream/cloud', false, true],
  ['$upstream/cloud("commands/+")', false, true],
  ['$upstream/cloud("a")', false, false],
  ['$upstream/Cloud', false, false],
  ['$upstream/clou', false, false],
  ['/*', false, false],
  ['topic("#")', false, false],
];

for (const [pattern, fromDefault, fromCloud] of NAMED) {
  sources(
    `the source ${pattern} ${verb(fromDefault)} messages of upstream and ${verb(fromCloud)} messages of cloud`,
    () => {
      const matched = ['upstream', 'cloud'].map(name =>
        routeMatches(pattern, upstreamSource(name), 'commands/a', 'topic("t")'),
      );
      assert.equal(matched, [fromDefault, fromCloud]);
    },
  );
}

for (const source of ['/messages', OUTPUT, '/twinChangeNotifications']) {
  sources(`the source $upstream does not match ${source}`, () => {
    assert.not.ok(routeMatches('$upstream', source, 'commands/a', 'topic("t")'));
    assert.not.ok(routeMatches('$upstream("#")', source, 'commands/a', 'topic("t")'));
  });
}

sources('no source of the azure dialect matches messages from upstream', () => {
  for (const pattern of ['/*', '/messages/*', '/messages/modules/*']) {
    const result = compileRoute(`FROM ${pattern} INTO $upstream`, 'azure');
    assert.ok('route' in result && !sourceMatches(result.route.tree.source, '$upstream', 'a'), pattern);
  }
  const refused = compileRoute('FROM $upstream INTO BrokeredEndpoint("/modules/a/inputs/b")', 'azure');
  assert.ok('diagnostic' in refused);
});

for (const [pattern, source, expected] of PATHS) {
  sources(`the source ${pattern} ${verb(expected)} ${source}`, () => {
    assert.is(routeMatches(pattern, source, 'a/b'), expected);
  });
}

for (const [filter, topic, expected] of TOPICS) {
  sources(`the source topic("${filter}") ${verb(expected)} the topic ${topic}`, () => {
    assert.is(routeMatches(`topic("${filter}")`, '/messages', topic), expected);
  });
}

sources('a route from a topic also matches messages that modules send', () => {
  assert.ok(routeMatches('topic("modules/+/outputs/#")', OUTPUT, 'modules/host/outputs/temp'));
});

sources('the first /* after FROM is a source, and each later /* begins a comment', () => {
  assert.ok(routeMatches('/messages/* /* INTO nowhere */', OUTPUT, 'a/b'));
  assert.is(compiled('FROM /* /**/ INTO /* here */ $upstream').tree.condition, undefined);
});

sources('SELECT * is optional and keywords are case-insensitive', () => {
  assert.is(compiled('select * from /messages/* into $UPSTREAM').tree.sink.kind, 'upstream');
});

sources('a parsed sink has its kind and either module and input, or a topic', () => {
  const sinkOf = (sink: string): unknown => compiled(`FROM /* INTO ${sink}`).tree.sink;
  assert.equal(sinkOf("brokeredendpoint('/modules/Logger/inputs/in')"), {
    kind: 'input',
    module: 'Logger',
    input: 'in',
  });
  assert.equal(sinkOf('Topic("alerts/hot")'), { kind: 'topic', topic: 'alerts/hot' });
});

function routeMatches(pattern: string, source: string, topic: string, sink = '$upstream'): boolean {
  const route = compiled(`FROM ${pattern} INTO ${sink}`);
  const dispatcher = createDispatcher([{ name: 'r', route, priority: 9, ttl: undefined }]);
  let matched = false;
  dispatcher.dispatch(subjectOf({ source, topic }), () => {
    matched = true;
  });
  return matched;
}

sources.run();
