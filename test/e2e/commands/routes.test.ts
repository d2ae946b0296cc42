import { Encoder } from 'cbor-x';
import { connectAsync, type MqttClient } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, freePort, removeFolder, run, startHub, until } from '../../harness/binary.ts';

const routing = suite('e2e: routes');
type RunningTest = {
  readonly folder: string;
  readonly hub: Awaited<ReturnType<typeof startHub>>;
  readonly client: MqttClient;
};

/** Runs a hub with more manifest fields, and a client that collects the topics of messages under `out/`. */
async function withHub(
  more: Readonly<Record<string, unknown>>,
  scenario: (test: RunningTest, received: string[]) => Promise<void>,
): Promise<void> {
  const port = await freePort();
  const manifest = { name: 'edge', listeners: [{ mqtt: `127.0.0.1:${port}` }], ...more };
  const folder = folderWith({ 'manifest.json': JSON.stringify(manifest) });
  const hub = await startHub(folder, 'manifest.json', 'data');
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5 });
  try {
    const received: string[] = [];
    client.on('message', topic => received.push(topic));
    await client.subscribeAsync('out/#');
    await scenario({ folder, hub, client }, received);
  } finally {
    await client.endAsync(true);
    await hub.end('SIGTERM');
    removeFolder(folder);
  }
}

routing(
  'an invalid route is refused with the position of its error before the hub listens, and other routes run',
  async () => {
    const routes = {
      good: 'FROM topic("in/#") INTO topic("out/good")',
      bad: 'FROM /messages/*\nWHERE temp > 50 INTO topic("out/bad")',
      lost: 'FROM /messages/* INTO BrokeredEndpoint("/modules/ghost/inputs/i")',
      odd: "FROM /messages/* WHERE level = undefined INTO topic('out/odd')",
    };
    await withHub({ routes }, async ({ folder, hub, client }, received) => {
      const startLog = hub.log().slice(0, hub.log().indexOf(' listens on '));
      assert.match(startLog, /routes\.bad, line 2, column 7: > requires two operands of one type/);
      assert.match(startLog, /WHERE temp > 50.*\n\S+ error hub: +\^{9}/);
      assert.match(startLog, /routes\.lost goes INTO an input of module "ghost"/);
      assert.match(startLog, /routes\.odd, line 1, column 24: this condition is never true/);
      await client.publishAsync('in/1', 'x', { qos: 1 });
      await until('the good route took it', () => received.length > 0);
      assert.equal(received, ['out/good']);
      const listed = run(['routes', '--data', `${folder}/data`]);
      assert.match(listed.out, /bad +- +- +- +- +REFUSED: FROM/);
      assert.match(listed.out, /warning: route routes\.odd/);
      const json: readonly { readonly name: string; readonly state: string }[] = JSON.parse(
        run(['routes', '--json', '--data', `${folder}/data`]).out,
      );
      const states = json.map(({ name, state }) => `${name} ${state}`);
      assert.equal(states, ['good running', 'odd running', 'bad refused', 'lost refused']);
    });
  },
);

routing(
  'the condition of a route reads bodies in CBOR and UTF-16, correlation data and properties of the sender',
  async () => {
    const routes = {
      cbor: 'FROM topic("in") WHERE $body.list[1].celsius = 61 INTO topic("out/cbor")',
      utf16: 'FROM topic("in") WHERE $body.utf16 INTO topic("out/utf16")',
      told: "FROM topic('in') WHERE $correlationId = 'c-7' AND $messageId = 'm-1' INTO topic('out/told')",
      time: "FROM topic('in') WHERE starts_with($enqueuedTime, '20') INTO topic('out/time')",
      forged: "FROM topic('in') WHERE $connectionModuleId = 'root' INTO topic('out/forged')",
    };
    await withHub({ routes }, async ({ client }, received) => {
      const cbor = new Encoder({ useRecords: false }).encode({ list: [0, { celsius: 61 }] });
      await client.publishAsync('in', cbor, { qos: 1, properties: { contentType: 'application/cbor' } });
      const utf16 = Buffer.from('{"utf16":true}', 'utf16le');
      const userProperties = { $contentEncoding: 'utf-16', $connectionModuleId: 'root' };
      await client.publishAsync('in', utf16, { qos: 1, properties: { userProperties } });
      const correlationData = Buffer.from('c-7');
      const properties = { correlationData, userProperties: { $messageId: 'm-1' } };
      await client.publishAsync('in', '', { qos: 1, properties });
      await until('all came', () => received.length === 6);
      assert.equal(received, ['out/cbor', 'out/time', 'out/utf16', 'out/time', 'out/told', 'out/time']);
    });
  },
);

routing('routes of a manifest with dialect azure follow the rules of Azure IoT Edge', async () => {
  const routes = {
    missing: 'FROM /messages/* WHERE $body.missing > 50 INTO BrokeredEndpoint("/modules/m/inputs/i")',
    topic: 'FROM topic("in") INTO topic("out/x")',
  };
  const modules = { m: { exec: ['/bin/cat'], io: 'lines' } };
  await withHub({ dialect: 'azure', modules, routes }, async ({ folder, client, hub }) => {
    assert.match(hub.log(), /routes\.topic, line 1, column 6: topic is not allowed here/);
    await client.publishAsync('in', '{}', { qos: 1, properties: { contentType: 'application/json' } });
    const json = run(['routes', '--json', '--data', `${folder}/data`]).out;
    assert.is(JSON.parse(json)[0].matched, 1, json);
  });
});

routing(
  '`skerry routes explain` shows which part of a condition prevents a route from matching a message',
  async () => {
    const routes = {
      hot: "FROM /messages/modules/host/* WHERE $body.celsius > 60 AND level = 'hot' INTO topic('out/hot')",
      other: "FROM /messages/modules/other/* INTO topic('out/other')",
    };
    const message = JSON.stringify({
      body: { celsius: 61 },
      properties: { level: 'cold' },
      source: '/messages/modules/host/outputs/temp',
    });
    await withHub({ routes }, async ({ folder }) => {
      const expected = [
        'hot does not take it: its condition is false',
        `  ${routes.hot}`,
        '    $body.celsius > 60 AND level = "hot" is false',
        '      $body.celsius > 60 is true',
        '        $body.celsius is 61',
        '      level = "hot" is false',
        '        level is "cold"',
        'other does not take it: its source is another',
        `  ${routes.other}`,
        '',
      ].join('\n');
      assert.is(run(['routes', 'explain', '--message', message, '--data', `${folder}/data`]).out, expected);
      const manifest = ['--manifest', `${folder}/manifest.json`];
      assert.is(run(['routes', 'explain', '--message', message, ...manifest]).out, expected);
      const unknown = run(['routes', 'explain', '--message', message, ...manifest, '--route', 'cold']);
      assert.is(unknown.code, 2);
      assert.is(unknown.err, 'skerry: There is no route "cold": "skerry routes" lists them.\n');
    });
  },
);

routing('`skerry routes replay` counts once each waiting message that a route would match', async () => {
  const upstream = { url: `mqtt://127.0.0.1:${await freePort()}` };
  const routes = { up: 'FROM /messages/* INTO $upstream' };
  await withHub({ upstream, routes }, async ({ folder, client }) => {
    for (let n = 0; n < 1200; n += 100) {
      const some = Array.from({ length: 100 }, (_, at) => `{"n":${n + at}}`);
      await Promise.all(some.map(body => client.publishAsync('in', body, { qos: 1 })));
    }
    await client.publishAsync('in', 'no JSON', { qos: 1 });
    const replayed = run([
      'routes',
      'replay',
      'FROM topic("in") WHERE $body.n > 1180 INTO $upstream',
      '--data',
      `${folder}/data`,
    ]);
    assert.match(replayed.out, /^TOPIC +FROM +WAITED +BODY/);
    assert.match(replayed.out, /\{"n":1181\}/);
    assert.match(
      replayed.out,
      /It would have taken 19 of 1201 messages that wait; its condition is false for 1181, undefined for 1, an error for 0\.\n$/,
    );
    const json = [
      'routes',
      'replay',
      'FROM topic("other") INTO $upstream',
      '--json',
      '--data',
      `${folder}/data`,
    ];
    const { verdicts, taken } = JSON.parse(run(json).out);
    assert.equal([verdicts, taken], [{ true: 0, false: 0, undefined: 0, error: 0 }, []]);
    const recent = [
      'routes',
      'replay',
      'FROM /messages/* INTO $upstream',
      '--since',
      '0s',
      '--data',
      `${folder}/data`,
    ];
    assert.match(run(recent).out, /would have taken 0 of 0/);
    const bad = run(['routes', 'replay', 'FROM nowhere', '--data', `${folder}/data`]);
    assert.is(bad.code, 2);
    assert.match(bad.err, /route route, line 1, column 6/);
  });
});

/** Arguments, exit code, output (of an exit code 2: error) and standard input. */
const COMMANDS: readonly (readonly [readonly string[], number, RegExp, string?])[] = [
  [['check', "FROM /* WHERE level = 'hot' INTO $upstream"], 0, /^The route is good\.\n$/],
  [
    ['check', 'FROM /* WHERE is_null(level) INTO $upstream'],
    0,
    /^warning: .*never true[\s\S]*The route is good\.\n$/,
  ],
  [['check', 'FROM /* WHERE lvel( INTO $upstream'], 2, /line 1, column 21/],
  [
    ['check', 'FROM /* INTO topic("t")', '--json'],
    0,
    /^\{\n {2}"routes": 1,\n {2}"warnings": \[\],\n {2}"errors": \[\]\n\}\n$/,
  ],
  [['check', 'FROM $upstream INTO topic("t")'], 0, /^The route is good\.\n$/],
  [['check', 'FROM $upstream INTO $upstream'], 2, /column 21: .*that is a loop/],
  [
    ['check', 'FROM /* INTO $upstream WHERE x', '--dialect', 'azure'],
    0,
    /is ignored[\s\S]*The route is good/,
  ],
  [['check', 'FROM /* INTO $upstream', '--dialect', 'aws'], 2, /--dialect must be skerry or azure/],
  [['check'], 2, /<route \| manifest\.json> is missing/],
  [['test', 'FROM /* WHERE $body.n > 1 INTO $upstream', '--message', '{"body":{"n":2}}'], 0, /^true\n$/],
  [['test', 'FROM /* WHERE $body.n > 1 INTO $upstream', '--message', '{"body":{}}'], 1, /^undefined\n$/],
  [
    ['test', 'FROM /* WHERE $body.n > 1 INTO $upstream', '--message', '{"body":{}}', '--dialect', 'azure'],
    0,
    /^true\n$/,
  ],
  [['test', 'FROM /messages/modules/* INTO $upstream', '--message', '{}'], 1, /^source\n$/],
  [
    ['test', 'FROM $upstream("a/#") INTO topic("t")', '--message', '{"source":"$upstream","topic":"a/b"}'],
    0,
    /^true\n$/,
  ],
  [['test', 'FROM /* INTO topic("t")', '--message', '{"source":"$upstream"}'], 1, /^source\n$/],
  [
    [
      'test',
      "FROM /* WHERE $childDevice = 'floor2' INTO topic('t')",
      '--message',
      '{"system":{"childDevice":"floor2"}}',
    ],
    0,
    /^true\n$/,
  ],
  [
    ['test', "FROM /* WHERE a = 'x' INTO $upstream", '--message', '{"properties":{"a":"x"}}', '--json'],
    0,
    /^\{"takes":true,"verdict":"true"\}\n$/,
  ],
  [
    [
      'test',
      'FROM /* WHERE $body.n = 1 INTO $upstream',
      '--message',
      '{"bodyBase64":"oWFuAQ==","system":{"contentType":"application/cbor"}}',
    ],
    0,
    /^true\n$/,
  ],
  [
    ['test', 'FROM /* WHERE $body = 1 INTO $upstream', '--messages', '-'],
    1,
    /^true\nfalse\nundefined\n$/,
    '{"body":1}\n\n{"bodyText":"2"}\n{"bodyText":"x"}\n',
  ],
  [['test', 'FROM /* INTO $upstream', '--message', '{"boddy":1}'], 2, /"boddy" is not a field of a message/],
  [
    ['test', 'FROM /* INTO $upstream', '--message', '{"properties":{"a":1}}'],
    2,
    /"properties\.a" must be a string/,
  ],
  [['test', 'FROM /* INTO $upstream', '--message', '{'], 2, /it is not JSON/],
  [['test', 'FROM /* INTO $upstream', '--message', '[1]'], 2, /must be an object/],
  [['test', 'FROM /* INTO $upstream', '--messages', '/nowhere'], 2, /cannot be read from \/nowhere/],
  [['test', 'FROM /* INTO $upstream'], 2, /Give either --message or --messages/],
  [
    ['tset', 'FROM /* INTO $upstream'],
    2,
    /There is no command "routes tset"\. Did you mean "skerry routes test"\?/,
  ],
];

for (const [args, code, expected, input] of COMMANDS) {
  routing(`"skerry routes ${args.join(' ')}" exits with ${code}`, () => {
    const { code: exit, out, err } = run(['routes', ...args], input);
    assert.is(exit, code, err);
    assert.match(code === 2 ? err : out, expected);
  });
}

routing('`skerry routes check` reports the number of valid routes of a manifest', () => {
  const [a, b] = ["FROM /* INTO topic('a')", "FROM /* INTO topic('b')"];
  const sentences = [
    [{}, 'There are no routes.\n'],
    [{ a }, 'The route is good.\n'],
    [{ a, b }, 'All 2 routes are good.\n'],
  ] as const;
  for (const [routes, sentence] of sentences) {
    const folder = folderWith({ 'manifest.json': JSON.stringify({ name: 'a', routes }) });
    assert.is(run(['routes', 'check', `${folder}/manifest.json`]).out, sentence);
    removeFolder(folder);
  }
});

routing('`skerry routes check` reports each invalid route of a manifest', () => {
  const routes = { good: "FROM /* INTO topic('a')", bad: 'FROM /* INTO', ghost: 'FROM /* INTO $upstream' };
  const folder = folderWith({ 'manifest.json': JSON.stringify({ name: 'a', routes }) });
  const { code, err } = run(['routes', 'check', `${folder}/manifest.json`]);
  removeFolder(folder);
  assert.is(code, 2, err);
  assert.match(err, /routes\.bad, line 1, column 13[\s\S]*routes\.ghost goes INTO \$upstream/);
});

routing.run();
