import { spawn, spawnSync } from 'node:child_process';
import { createHash, createPublicKey, verify } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openDeviceKey } from '../../../src/crypto/key-files/device-key.ts';
import { openSealed } from '../../../src/crypto/sealing.ts';
import { folderWith, removeFolder, run, skerry } from '../../harness/binary.ts';
import { random } from '../../harness/crypto.ts';

const TEXT = `{ "serial": 7, "name": "a", "for": ["a"],
  "routes": { "10": "FROM /* INTO $upstream", "9": "FROM /messages/* INTO $upstream" },
  "modules": { "m": { "exec": ["./m", "-x"], "env": { "T": "4.50", "U": "\\u20ac" }, "startupOrder": 1.0e1 } } }`;

type Context = { folder: string; at: (name: string) => string };

const signing = suite<Context>('e2e: signing', { folder: '', at: name => name });

signing.before.each(context => {
  context.folder = folderWith({ 'm.json': TEXT });
  context.at = name => join(context.folder, name);
});

signing.after.each(({ folder }) => removeFolder(folder));

/** Runs a command that must succeed. Returns its output. */
function succeed(...args: readonly string[]): string {
  const { code, out, err } = run(args);
  assert.equal([code, err], [0, '']);
  return out;
}

/** Runs a command that must fail. Returns its error sentence. */
function fail(code: number, ...args: readonly string[]): string {
  const ended = run(args);
  assert.equal([ended.code, ended.out], [code, ''], ended.err);
  assert.match(ended.err, /^skerry: [^\n]+\n$/);
  return ended.err;
}

/** Creates two key pairs and signs the manifest with the first. */
function prepare({ at }: Context): void {
  succeed('keygen', '--out', at('alice'));
  succeed('keygen', '--out', at('bob'));
  succeed('sign', at('m.json'), '--key', at('alice.key'), '--out', at('signed.json'));
}

signing('`skerry keygen` writes two key files and never overwrites a file', ({ folder, at }) => {
  const { status } = spawnSync(skerry, ['keygen'], { cwd: folder });
  assert.is(status, 0);
  const text = readFileSync(at('skerry.key'), 'utf8');
  assert.match(text, /^skerry-secret-key ed25519 [A-Za-z0-9+/]{43}=\n$/);
  assert.match(
    readFileSync(at('skerry.pub'), 'utf8'),
    /^skerry-public-key ed25519 [A-Za-z0-9+/]{43}= skerry\n$/,
  );
  assert.is(statSync(at('skerry.key')).mode & 0o777, 0o600);
  const again = spawnSync(skerry, ['keygen'], { cwd: folder, encoding: 'utf8' });
  assert.is(again.status, 2);
  assert.match(again.stderr, /skerry\.pub exists already \(EEXIST\), and keys are never overwritten/);
  assert.is(readFileSync(at('skerry.key'), 'utf8'), text);
  assert.equal(readdirSync(folder).sort(), ['m.json', 'skerry.key', 'skerry.pub']);
});

signing('`skerry sign` warns that every device accepts a manifest without "for"', context => {
  const { at } = context;
  prepare(context);
  const { for: _, ...rest } = JSON.parse(TEXT);
  writeFileSync(at('all.json'), JSON.stringify(rest));
  const { code, out, err } = run(['sign', at('all.json'), '--key', at('alice.key')]);
  assert.is(code, 0);
  assert.match(out, /"signature"/);
  assert.match(err, /all\.json has no "for": every device that trusts the key accepts it\.\n$/);
});

signing(
  'the signature of `skerry sign` is the last field of the manifest and is verified by Node',
  context => {
    const { at } = context;
    prepare(context);
    const text = readFileSync(at('signed.json'), 'utf8');
    assert.is(text, succeed('sign', at('m.json'), '--key', at('alice.key')));
    const { signature, ...rest } = JSON.parse(text);
    assert.equal(rest, JSON.parse(TEXT));
    assert.is(text, `${JSON.stringify({ ...rest, signature }, null, 2)}\n`);
    const canonical =
      '{"for":["a"],"modules":{"m":{"env":{"T":"4.50","U":"€"},"exec":["./m","-x"],"startupOrder":10}},"name":"a","routes":{"10":"FROM /* INTO $upstream","9":"FROM /messages/* INTO $upstream"},"serial":7}';
    const x = Buffer.from(signature.key, 'base64').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    const digest = createHash('sha512').update(`skerry manifest 1\n${canonical}`).digest();
    assert.ok(verify(null, digest, key, Buffer.from(signature.value, 'base64')));
    assert.match(
      readFileSync(at('alice.pub'), 'utf8'),
      new RegExp(` ${signature.key.replace(/\W/g, '\\$&')} alice$`, 'm'),
    );
  },
);

signing('`skerry sign --key-env` signs with the key in an environment variable', context => {
  const { at } = context;
  prepare(context);
  const variable = 'SKERRY_TEST_KEY';
  process.env[variable] = readFileSync(at('alice.key'), 'utf8').trim();
  try {
    const signed = succeed('sign', at('m.json'), '--key-env', variable);
    assert.is(signed, readFileSync(at('signed.json'), 'utf8'));
    const both = fail(2, 'sign', at('m.json'), '--key-env', variable, '--key', at('alice.key'));
    assert.match(both, /Give either --key or --key-env/);
  } finally {
    delete process.env[variable];
  }
  const missing = fail(2, 'sign', at('m.json'), '--key-env', variable);
  assert.match(missing, /environment variable SKERRY_TEST_KEY, which --key-env names, is empty/);
});

signing('`skerry verify` checks a signature with a given key or the trusted keys of a device', context => {
  const { at } = context;
  prepare(context);
  const ours = ['--key', at('alice.pub')];
  assert.match(succeed('verify', at('signed.json'), ...ours), /signed\.json is signed by "alice"/);
  assert.match(fail(1, 'verify', at('signed.json'), '--key', at('bob.pub')), /signature\.key is not a key/);
  assert.match(fail(1, 'verify', at('m.json'), ...ours), /signature is missing: .*"skerry sign"/);
  const data = ['--data', at('data')];
  assert.match(fail(2, 'verify', at('signed.json'), ...data), /No key is trusted in .*data/);
  assert.match(succeed('trust', '--list', ...data), /No key is trusted/);
  assert.match(succeed('trust', at('bob.pub'), ...data), /accepts manifests that "bob" signed/);
  fail(1, 'verify', at('signed.json'), ...data);
  succeed('trust', at('alice.pub'), ...data);
  succeed('trust', at('alice.pub'), ...data);
  assert.match(succeed('verify', at('signed.json'), ...data), /signed by "alice"/);
  assert.match(succeed('trust', '--list', ...data), /^NAME .*\nalice .* alice\nbob .* bob\n$/);
  const listed: readonly { readonly name: string }[] = JSON.parse(
    succeed('trust', '--list', '--json', ...data),
  );
  assert.equal(
    listed.map(({ name }) => name),
    ['alice', 'bob'],
  );
  const verified = succeed('verify', at('signed.json'), '--json', ...data);
  assert.equal(JSON.parse(verified), { good: true, key: 'alice' });
  const unsigned: { readonly good: boolean; readonly code: string } = JSON.parse(
    run(['verify', at('m.json'), '--json', ...ours]).out,
  );
  assert.equal([unsigned.good, unsigned.code], [false, 'signature.missing']);
  writeFileSync(at('data/keys/trusted/bob.pub'), 'torn');
  assert.match(fail(2, 'verify', at('signed.json'), ...data), /trusted\/bob\.pub is not a Skerry key/);
});

signing('a signature stays valid if only the field order or white space of the manifest changes', context => {
  const { at } = context;
  prepare(context);
  const text = readFileSync(at('signed.json'), 'utf8');
  const verdict = (changed: string): number | null => {
    writeFileSync(at('changed.json'), changed);
    return run(['verify', at('changed.json'), '--key', at('alice.pub')]).code;
  };
  const fields = Object.entries(JSON.parse(text)).reverse();
  assert.is(verdict(JSON.stringify(Object.fromEntries(fields), null, '\t')), 0);
  assert.is(verdict(text.replace('"serial": 7', '"serial": 0.7e1').replace('€', '\\u20ac')), 0);
  // A duplicated field is refused because parsers disagree on the one that counts.
  assert.is(verdict(text.replace('"name"', '"name": "b", "name"')), 2);
  assert.is(verdict(text.replace('"name": "a"', '"name": "a", "name": "b"')), 2);
  for (const [from, to] of [
    ['"name": "a"', '"name": "b"'],
    ['"serial": 7', '"serial": 8'],
    ['"4.50"', '"4.5"'],
    ['"-x"', '"-x", ""'],
    ['"startupOrder": 10', '"startupOrder": "10"'],
    ['"exec"', '"exec "'],
  ] as const) {
    assert.ok(text.includes(from), from);
    assert.is(verdict(text.replace(from, to)), 1, to);
  }
  assert.is(verdict(text.slice(0, -3)), 2);
});

signing(
  '`skerry sign` with another key replaces the signature of a manifest, also in the same file',
  context => {
    const { at } = context;
    prepare(context);
    succeed('sign', at('signed.json'), '--key', at('bob.key'), '--out', at('signed.json'));
    succeed('verify', at('signed.json'), '--key', at('bob.pub'));
    fail(1, 'verify', at('signed.json'), '--key', at('alice.pub'));
    assert.equal(readdirSync(context.folder).length, 6);
  },
);

signing('`skerry sign` refuses an invalid manifest or key with exit code 2 and one sentence', context => {
  const { at } = context;
  prepare(context);
  writeFileSync(at('field.json'), '{"name":"a","serial":1,"module":{}}');
  writeFileSync(at('serial.json'), '{"name":"a"}');
  writeFileSync(at('syntax.json'), '{"name":');
  writeFileSync(at('half.json'), '{"name":"a","serial":1,"modules":{"m":{"exec":["\\ud800"]}}}');
  const key = ['--key', at('alice.key')];
  assert.match(fail(2, 'sign', at('field.json'), ...key), /module is an unknown field/);
  assert.match(fail(2, 'sign', at('serial.json'), ...key), /serial is missing: .* higher .*serial\.json/);
  assert.match(fail(2, 'sign', at('syntax.json'), ...key), /is not JSON/);
  assert.match(fail(2, 'sign', at('half.json'), ...key), /modules\.m\.exec\[0\] contains a lone surrogate/);
  assert.match(fail(2, 'sign', at('nowhere.json'), ...key), /no such file/);
  assert.match(fail(2, 'sign', at('m.json')), /Name the secret key with --key/);
  assert.match(fail(2, 'sign', at('m.json'), '--key', at('alice.pub')), /is a public key/);
  assert.match(fail(2, 'sign', at('m.json'), ...key, '--out', at('no/where.json')), /cannot be written/);
  writeFileSync(at('other.json'), 'mine');
  assert.match(fail(2, 'sign', at('m.json'), ...key, '--out', at('other.json')), /already exists/);
  assert.is(readFileSync(at('other.json'), 'utf8'), 'mine');
  chmodSync(at('alice.key'), 0o644);
  const exposed = fail(2, 'sign', at('m.json'), ...key);
  assert.match(exposed, /alice\.key is readable by other users \(mode 0644\)/);
  const [, , base64 = ''] = readFileSync(at('alice.key'), 'utf8').split(' ');
  assert.not(exposed.includes(base64.slice(0, 12)));
});

/** Decrypts a sealed secret with the key of a device. */
async function decrypted(data: string, sealed: string): Promise<string> {
  assert.match(sealed, /^sealed:[A-Za-z0-9+/]+=*\n$/);
  return (await openSealed(sealed.trim(), await openDeviceKey(data, random), 'x')).toString();
}

signing(
  'a secret that is sealed for a device is decrypted only by the key of that device',
  async ({ at }) => {
    const data = at('data');
    for (const [input, secret] of [
      ['hunter2\n', 'hunter2'],
      ['hunter2\r\n', 'hunter2'],
      [' no end ', ' no end '],
      ['-----BEGIN KEY-----\nabc\n-----END KEY-----\n', '-----BEGIN KEY-----\nabc\n-----END KEY-----\n'],
      ['x'.repeat(16_384), 'x'.repeat(16_384)],
    ] as const) {
      const { code, out, err } = run(['seal', '--data', data], input);
      assert.equal([code, err], [0, '']);
      assert.is(await decrypted(data, out), secret);
    }
    assert.is(statSync(join(data, 'keys/device.key')).mode & 0o777, 0o600);
    const elsewhere = run(['seal', '--to', join(data, 'keys/device.pub')], 'hunter2\n');
    assert.is(await decrypted(data, elsewhere.out), 'hunter2');
    await decrypted(at('other'), elsewhere.out).then(
      () => assert.unreachable(),
      (thrown: Error) => assert.match(thrown.message, /cannot be decrypted with this device's key/),
    );
  },
);

signing('a manifest with sealed secrets can be signed and verified', context => {
  const { at } = context;
  prepare(context);
  const sealed = run(['seal', '--data', at('data')], 'hunter2\n').out.trim();
  const modules = { m: { exec: ['./m'], secrets: { A: sealed, B: { sealed, as: 'file' } } } };
  writeFileSync(at('m.json'), JSON.stringify({ name: 'a', serial: 8, for: ['*'], modules }));
  succeed('sign', at('m.json'), '--key', at('alice.key'), '--force', '--out', at('signed.json'));
  succeed('verify', at('signed.json'), '--key', at('alice.pub'));
});

signing('`skerry seal` refuses an invalid secret or key with an error that repeats no secret', context => {
  const { at } = context;
  prepare(context);
  const data = ['--data', at('data')];
  for (const [args, input, sentence] of [
    [data, '', /The secret is empty/],
    [data, '\n', /The secret is empty/],
    [data, 'hunter2'.repeat(3_000), /longer than 16384 bytes/],
    [['hunter2', ...data], '', /takes no arguments\./],
    [
      ['--to', at('alice.pub')],
      'hunter2\n',
      /is not a key for sealing: a device's "keys\/device\.pub" is needed/,
    ],
    [['--to', at('nowhere.pub')], 'hunter2\n', /no such file \(ENOENT\)/],
    [['--to', at('alice.pub'), ...data], 'hunter2\n', /either --to or --data/],
  ] as const) {
    const { code, out, err } = run(['seal', ...args], input);
    assert.equal([code, out], [2, ''], err);
    assert.match(err, sentence);
    assert.not.match(err, /hunter2/);
  }
});

signing('an error of `skerry seal` names the folder that cannot be created', ({ at }) => {
  mkdirSync(at('data'));
  writeFileSync(at('data/keys'), '');
  const { code, err } = run(['seal', '--data', at('data')], 'hunter2\n');
  assert.is(code, 1);
  assert.match(err, /^skerry: The folder .*data\/keys cannot be created: /);
});

signing('`skerry seal` on a terminal asks twice and does not show the secret', async ({ at }) => {
  if (spawnSync('script', ['--version']).error !== undefined) {
    process.stdout.write('\nskipped: there is no "script" to make a terminal with\n');
    return;
  }
  const command = `${skerry} seal --data ${at('data')}`;
  const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let shown = '';
  let asked = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    const questions = shown.match(/(Secret|Again): /g)?.length ?? 0;
    for (; asked < questions; asked++) child.stdin.write('hunter2\r');
  });
  await new Promise(resolve => child.once('close', resolve));
  const [sealed = ''] = /sealed:\S+/.exec(shown) ?? [];
  assert.is(await decrypted(at('data'), `${sealed}\n`), 'hunter2');
  assert.not.match(shown, /hunter/);
  assert.ok(existsSync(at('data/keys/device.pub')));
});

signing.run();
