import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const root = resolve(import.meta.dirname, '..');

/** The floors, from the top down: a room may import from floors below its own, and from itself. */
const FLOORS = [
  ['cli'],
  ['hub'],
  ['deployment'],
  ['auth', 'self-update'],
  ['broker', 'upstream', 'supervisor', 'console'],
  ['mqtt', 'queue', 'routes', 'crypto', 'manifest', 'bundles'],
  ['core'],
];

/** Each dependency has one owner. */
const OWNERS: Readonly<Record<string, string>> = {
  'mqtt-packet': 'mqtt',
  lmdb: 'queue',
  'cbor-x': 'queue',
  'node-pty': 'supervisor',
  'node-pty/lib/utils.js': 'supervisor',
  tweetnacl: 'crypto',
  valibot: 'manifest',
  ws: 'broker',
  'tar-stream/headers.js': 'bundles',
};

/** Rooms that do no I/O; key files are crypto's exception. */
const PURE = ['routes', 'crypto'];
const PURE_BUILTINS = ['node:crypto'];
const PURE_EXCEPT = 'src/crypto/key-files/';

/** Files that may use the system's time, randomness, exit and terminal. */
const EDGES = ['src/main.ts', 'src/cli/'];
const EDGE_ONLY = /\b(Date\.now|Math\.random|process\.exit|console\.\w+)\b/;

/** Lines of a file. A file should seldom have more than 300. */
const MAX_LINES = 400;

type Source = { readonly file: string; readonly room: string; readonly text: string };

function read(pattern: string): Source[] {
  return globSync(pattern, { cwd: root }).map(file => ({
    file,
    room: file.split('/')[1] ?? '',
    text: readFileSync(join(root, file), 'utf8'),
  }));
}

function importsOf(text: string): string[] {
  const found = text.matchAll(/(?:from |import\(|import )'([^']+)'/g);
  return Array.from(found, ([, name]) => name ?? '');
}

function floorOf(room: string): number {
  return FLOORS.findIndex(rooms => rooms.includes(room));
}

/** Reason why `source` must not import `name`. Undefined if it may. */
function objection({ file, room, text: _ }: Source, name: string): string | undefined {
  if (name.startsWith('node:')) {
    if (!PURE.includes(room) || PURE_BUILTINS.includes(name) || file.startsWith(PURE_EXCEPT))
      return undefined;
    return `${file}: a pure room imports ${name}`;
  }
  if (!name.startsWith('.')) {
    return OWNERS[name] === room ? undefined : `${file}: ${name} belongs to src/${OWNERS[name] ?? 'nobody'}`;
  }
  const target = join(dirname(file), name).split('/')[1] ?? '';
  if (target === room || file === 'src/main.ts' || file === 'src/core/version.ts') return undefined;
  return floorOf(room) < floorOf(target) ? undefined : `${file}: src/${room} may not import src/${target}`;
}

const sources = read('src/**/*.ts');
const architecture = suite('architecture');

architecture('every folder of `src` belongs to one floor (layer) of ARCHITECTURE.md', () => {
  const homeless = sources.filter(({ file, room }) => file.split('/').length > 2 && floorOf(room) < 0);
  assert.equal(
    homeless.map(({ file }) => file),
    [],
  );
  assert.ok(sources.length > 50);
});

architecture(
  'imports lead only to lower floors of ARCHITECTURE.md, and each npm package is imported by one folder only',
  () => {
    const objections = sources.flatMap(source => importsOf(source.text).map(name => objection(source, name)));
    assert.equal(
      objections.filter(one => one !== undefined),
      [],
    );
  },
);

architecture('the check of imports reports each kind of forbidden import', () => {
  const wrong = { file: 'src/routes/x.ts', room: 'routes', text: '' };
  assert.ok(objection(wrong, '../queue/store.ts'));
  assert.ok(objection(wrong, 'node:fs'));
  assert.ok(objection({ file: 'src/crypto/x.ts', room: 'crypto', text: '' }, 'node:fs'));
  assert.ok(objection(wrong, 'lmdb'));
  assert.is(objection(wrong, '../core/limits.ts'), undefined);
});

architecture(
  'only src/main.ts and src/cli use the system time, randomness, `process.exit` or the console',
  () => {
    const inside = sources.filter(({ file }) => !EDGES.some(edge => file.startsWith(edge)));
    const found = inside.filter(({ text }) => EDGE_ONLY.test(text)).map(({ file }) => file);
    assert.equal(found, []);
    assert.match(readFileSync(join(root, 'src/cli/system.ts'), 'utf8'), EDGE_ONLY);
  },
);

architecture('no TypeScript file exceeds the line limit or contains a mark of unfinished work', () => {
  const all = [...sources, ...read('test/**/*.ts'), ...read('bench/**/*.ts')];
  const long = all.filter(({ text }) => text.split('\n').length > MAX_LINES).map(({ file }) => file);
  const unfinished = all.filter(({ text }) => new RegExp(`\\b(${'TO'}DO|FIX${'ME'})\\b`).test(text));
  assert.equal([...long, ...unfinished.map(({ file }) => file)], []);
});

/** Files of program text in one folder. */
const MAX_FILES = 15;

architecture('no folder has more than 15 files', () => {
  const all = [...sources, ...read('{test,bench,build}/**/*.{ts,mjs,cc}')];
  const byFolder = Map.groupBy(all, ({ file }) => dirname(file));
  const large = Array.from(byFolder).filter(([, files]) => files.length > MAX_FILES);
  assert.equal(
    large.map(([folder, files]) => `${folder}: ${files.length}`),
    [],
  );
});

architecture('no two exported types of `src` have the same name', () => {
  const declared = sources.flatMap(({ file, text }) =>
    Array.from(text.matchAll(/^export type (\w+)/gm), ([, name = '']) => ({ name, file })),
  );
  const twice = Array.from(Map.groupBy(declared, ({ name }) => name)).filter(([, found]) => found.length > 1);
  assert.equal(twice, []);
});

/** Files of `src` that one file imports. */
function importedFiles({ file, text }: Source): string[] {
  return importsOf(text)
    .filter(name => name.startsWith('.'))
    .map(name => join(dirname(file), name));
}

/** Files that a file reaches by imports. */
function reachable(imports: ReadonlyMap<string, readonly string[]>, file: string): Set<string> {
  const found = new Set<string>();
  const pending = [...(imports.get(file) ?? [])];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    pending.push(...(imports.get(next) ?? []));
  }
  return found;
}

/** Files of one import circle. */
const MAX_CIRCLE = 3;

architecture('no import cycle contains more than three files', () => {
  const imports = new Map(sources.map(source => [source.file, importedFiles(source)]));
  const reached = new Map(sources.map(({ file }) => [file, reachable(imports, file)]));
  const circleOf = (file: string): string[] =>
    Array.from(reached.get(file) ?? []).filter(other => reached.get(other)?.has(file) === true);
  const large = sources.map(({ file }) => circleOf(file)).filter(({ length }) => length > MAX_CIRCLE);
  assert.equal(large, []);
});

/** First words of a doc comment that hide its subject. */
const VAGUE_START = /\/\*\*\s*\n?\s*\*?\s*(?:What|Who|Whoever|Whether|Where|How|Of|One|It|Those|The same)\b/;

/** Words of comments that have a plain equivalent. */
const OBSCURE_WORDS = /(?:\/\/|\*)[^\n]*(?:\bis none\b|\banew\b|\bis said\b|\bundefined:)/i;

const MAX_COMMENT_COLUMNS = 110;

/** Mark of a table of bytes on disk, whose lines are not wrapped. */
const BYTE_LAYOUT = '->';

architecture('comments begin with their subject, use plain words, and fit 110 columns', () => {
  const all = [...sources, ...read('{test,bench,build}/**/*.{ts,mjs}')];
  const objections = all.flatMap(({ file, text }) => [
    ...(text.match(new RegExp(VAGUE_START, 'g')) ?? []).map(found => `${file}: ${found}`),
    ...(text.match(new RegExp(OBSCURE_WORDS, 'gi')) ?? []).map(found => `${file}: ${found}`),
    ...text
      .split('\n')
      .filter(line => line.length > MAX_COMMENT_COLUMNS && /^\s*(?:\/\/|\/?\*)/.test(line))
      .filter(line => !line.includes(BYTE_LAYOUT))
      .map(line => `${file}: ${line}`),
  ]);
  assert.equal(objections, []);
});

architecture('every promise in PROMISES.md names a test that exists', () => {
  const promises = readFileSync(join(root, 'PROMISES.md'), 'utf8');
  const numbers = Array.from(promises.matchAll(/^\*\*(\d+)\.\*\* /gm), ([, number]) => Number(number));
  assert.equal(
    numbers,
    numbers.map((_, index) => index + 1),
  );
  const held = Array.from(promises.matchAll(/`(test\/[^`]+\.ts)`: "([^"]+)"/g));
  assert.ok(held.length >= numbers.length && numbers.length > 0);
  for (const [, file, name] of held) {
    const text = readFileSync(join(root, file ?? ''), 'utf8');
    assert.ok(text.includes(`'${name}'`) || text.includes(`"${name}"`), `${file} has no test "${name}"`);
  }
  const sections = promises.split(/^\*\*\d+\.\*\* /m).slice(1);
  for (const [index, section] of sections.entries()) {
    assert.match(section, /`test\/[^`]+\.ts`: "/, `promise ${index + 1} names no test`);
  }
});

architecture('every source file and function that the documentation names exists', () => {
  const wrong = read('{ARCHITECTURE.md,docs/**/*.md}').flatMap(({ file, text }) => {
    const named = text.matchAll(/`((?:src|build)\/[\w./-]+|[\w./-]+\/[\w.-]+\.ts)`(?: \|)?(?: `(\w+)`)?/g);
    return Array.from(named, ([, path = '', word]) => ({ file, path, word })).filter(one => !isThere(one));
  });
  assert.equal(wrong, []);
});

/** True if a path from the root, `src` or `test` exists and, if it is a file, holds the word. */
function isThere({ path, word }: { readonly path: string; readonly word: string | undefined }): boolean {
  const file = ['', 'src', 'test'].map(folder => join(root, folder, path)).find(existsSync);
  if (file === undefined) return false;
  return word === undefined || new RegExp(`\\b${word}\\b`).test(readFileSync(file, 'utf8'));
}

architecture.run();
