import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FAILURE_CODES, Failure } from '../src/core/errors.ts';

const root = resolve(import.meta.dirname, '..');
const pages = globSync('**/*.md', { cwd: root, exclude: ['node_modules', 'dist'] });

/** Anchor of a heading, as GitHub makes it. */
function anchorOf(heading: string): string {
  const words = heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '');
  return words.replaceAll(' ', '-');
}

function anchorsIn(file: string): string[] {
  const headings = readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm);
  return Array.from(headings, ([, heading = '']) => anchorOf(heading));
}

/** Targets of the relative links of a page, with their anchors. */
function linksIn(page: string): string[] {
  const links = readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)\s]+)\)/g);
  return Array.from(links, ([, link = '']) => link).filter(link => !/^[a-z]+:/.test(link));
}

function isBroken(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const file = path === '' ? join(root, page) : join(root, dirname(page), path);
  return !existsSync(file) || (anchor !== undefined && !anchorsIn(file).includes(anchor));
}

const documentation = suite('documentation');

documentation('every relative link resolves to a file and a heading', () => {
  const links = pages.flatMap(page => linksIn(page).map(link => ({ page, link })));
  assert.ok(links.length > 50, String(links.length));
  assert.equal(
    links.filter(({ page, link }) => isBroken(page, link)),
    [],
  );
});

documentation('each index page links to every page in its folder', () => {
  for (const folder of ['docs', 'docs/decisions']) {
    const linked = linksIn(`${folder}/README.md`).map(link => join(folder, link));
    const below = pages.filter(page => page.startsWith(`${folder}/`) && page !== `${folder}/README.md`);
    const listed = folder === 'docs' ? below.filter(page => !/^docs\/decisions\/\d/.test(page)) : below;
    assert.equal(
      listed.filter(page => !linked.includes(page)),
      [],
    );
    assert.is(new Set(linked).size, linked.length, folder);
  }
});

documentation(
  'the documentation page of error codes has each code of the error table with its exit code',
  () => {
    const page = readFileSync(join(root, 'docs/reference/errors.md'), 'utf8');
    const rows = Array.from(page.matchAll(/^\| `([\w.-]+)` \| (\d) \| \S.* \| \S.* \|$/gm));
    const documented = rows.map(([, code = '', exit]) => [code, Number(exit)]);
    const known = FAILURE_CODES.map(code => [code, new Failure(code, '').exitCode]);
    assert.equal(documented.toSorted(), known.toSorted());
  },
);

documentation(
  'the documentation page of environment variables names each variable that the source files read',
  () => {
    const page = readFileSync(join(root, 'docs/reference/environment.md'), 'utf8');
    const files = globSync('src/**/*.ts', { cwd: root });
    const named = files.flatMap(
      file => readFileSync(join(root, file), 'utf8').match(/\bSKERRY_[A-Z_]+\b/g) ?? [],
    );
    assert.ok(named.length > 5);
    assert.equal(
      named.filter(name => !page.includes(`\`${name}\``)),
      [],
    );
  },
);

documentation('ARCHITECTURE.md has at most 1,200 words and names each room and each dependency', () => {
  const page = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  assert.ok(page.split(/\s+/).length <= 1_200);
  const rooms = globSync('src/*/', { cwd: root }).map(folder => basename(folder));
  const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  assert.ok(typeof manifest === 'object' && manifest !== null && 'dependencies' in manifest);
  const packages = Object.keys(manifest.dependencies ?? {});
  const rows = Array.from(page.matchAll(/^\| `?([\w-]+)`? \| /gm), ([, name = '']) => name);
  assert.equal(
    [...rooms, ...packages].filter(name => !rows.includes(name)),
    [],
  );
});

documentation(
  'no line of the documentation is longer than 120 columns, and no line of prose is longer than 110',
  () => {
    const long = pages
      .filter(page => /^(ARCHITECTURE|CONTRIBUTING|README|docs\/(?!reference\/cli).*)\.md$/.test(page))
      .flatMap(page =>
        proseOf(page)
          .filter(line => line.length > 120)
          .map(line => `${page}: ${line}`),
      );
    assert.equal(long, []);
  },
);

/** Lines of a page that are neither code nor part of a table, and that a space could break. */
function proseOf(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8').replaceAll(/^```[\s\S]*?^```$/gm, '');
  return text.split('\n').filter(line => !/^(\||#| {4})/.test(line) && /\S .*\S/.test(line));
}

documentation('every documentation page that a source file names exists', () => {
  const files = globSync('{src,build,test}/**/*.{ts,mjs}', { cwd: root });
  const named = files.flatMap(file => {
    const paths = readFileSync(join(root, file), 'utf8').matchAll(/\bdocs\/[\w/-]+\.md\b/g);
    return Array.from(paths, ([path]) => ({ file, path }));
  });
  assert.equal(
    named.filter(({ path }) => !existsSync(join(root, path))),
    [],
  );
});

documentation.run();
