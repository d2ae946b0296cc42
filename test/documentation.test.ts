import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

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

documentation('the index links to every page of docs', () => {
  const index = 'docs/README.md';
  const linked = linksIn(index).map(link => join('docs', link));
  const missing = pages.filter(page => page.startsWith('docs/') && page !== index);
  assert.equal(
    missing.filter(page => !linked.includes(page)),
    [],
  );
  assert.is(new Set(linked).size, linked.length);
});

documentation('every page named in the source texts exists', () => {
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
