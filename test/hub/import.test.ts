import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { importForHub } from '../../src/hub/control/import.ts';
import { parseManifest } from '../../src/manifest/read.ts';

/** Deployment as text, because its numbers may exceed the precision of JavaScript. */
function deployment(modules: string, twins = ''): string {
  return `{"modulesContent":{"$edgeAgent":{"properties.desired":{"modules":{${modules}}}}${twins}}}`;
}

function imported(text: string) {
  const { manifest, remarks } = importForHub(text, 'd.json');
  parseManifest(JSON.stringify(manifest), 'm.json');
  const reported = new Map(remarks.map(({ path, sentence }) => [path, sentence]));
  return { modules: manifest.modules ?? {}, reported };
}

const imports = suite('hub: import of a deployment');

imports('an imported module without startupOrder starts after all modules with a startupOrder', () => {
  const orders = [0, 1_000_001, 4_294_967_295];
  const modules = orders.map((order, index) => `"m${index}":{"startupOrder":${order}}`);
  const kept = imported(deployment([...modules, '"last":{}'].join())).modules;
  assert.equal(
    Object.values(kept).map(({ startupOrder }) => startupOrder),
    [...orders, 4_294_967_296],
  );
});

for (const order of ['4294967296', '-1', '1.5', '9007199254740993', '1e400', '"1"']) {
  imports(`the import omits the invalid startupOrder ${order} and reports a remark`, () => {
    const { modules, reported } = imported(deployment(`"m":{"startupOrder":${order}},"o":{}`));
    assert.equal(Object.keys(modules), ['m', 'o']);
    assert.match(
      reported.get('$edgeAgent.modules.m.startupOrder') ?? '',
      /must be an integer from 0 to 4294967295/,
    );
  });
}

imports('the import omits a 64-bit number in "desired" and reports it with all digits', () => {
  const twins = `,"m":{"properties.desired":{"id":1724442618569203714,"in":{"id":-9007199254740993,"ok":9007199254740991},
    "list":[1,[18446744073709551615]],"huge":1e400,"text":"1724442618569203714","x":0.1,"even":1724442618569203712,"round":1724442618569203700}}`;
  const { modules, reported } = imported(deployment('"m":{}', twins));
  assert.equal(modules['m']?.desired, {
    in: { ok: 9007199254740991 },
    text: '1724442618569203714',
    x: 0.1,
    round: 1724442618569203700,
  });
  for (const [path, sentence] of [
    [
      'id',
      /^is left out: 1724442618569203714 has more digits than a number can represent: write it as a string$/,
    ],
    ['in.id', /-9007199254740993 has more digits/],
    ['list', /it contains a number with more digits/],
    ['even', /1724442618569203712 has more digits/],
    ['huge', /1e400 has more digits/],
  ] as const)
    assert.match(reported.get(`m.properties.desired.${path}`) ?? '', sentence);
});

imports('the import keeps all digits of a number in an environment variable', () => {
  const { modules } = imported(
    deployment('"m":{"env":{"A":{"value":1724442618569203714},"B":18446744073709551615}}'),
  );
  assert.equal(modules['m']?.env, { A: '1724442618569203714', B: '18446744073709551615' });
});

imports('the import omits only fields whose values the hub would refuse in a manifest', () => {
  const options = JSON.stringify({ HostConfig: { Memory: 1, PidsLimit: 5_000_000 } });
  const { modules, reported } = imported(
    deployment(`"m":{"settings":{"createOptions":${JSON.stringify(options)}}},"o":{"startupOrder":1}`),
  );
  assert.equal(Object.keys(modules), ['m', 'o']);
  const limitRemarks = [...reported].filter(([, sentence]) =>
    /Memory|pids|memory|is left out/i.test(sentence),
  );
  assert.ok(limitRemarks.length >= 2, JSON.stringify([...reported]));
  assert.is(modules['m']?.limits?.memory, undefined);
});

imports.run();
