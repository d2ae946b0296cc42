import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatDiagnostic } from '../../../src/routes/diagnostics.ts';
import { compileRoute } from '../../../src/routes/route.ts';
import { SYSTEM_PROPERTIES } from '../../../src/routes/system.ts';
import { compiled } from '../compiled.ts';

/** Checks the examples in docs/reference/routes.md. */
const page = readFileSync(new URL('../../../docs/reference/routes.md', import.meta.url), 'utf8');

const documentation = suite('routes: reference page');

documentation('the routes of the manifest in docs/reference/routes.md compile', () => {
  const routes = page.match(/FROM [^\n]*? INTO (\$upstream|\w+\(\\"[^"]*\\"\))/g) ?? [];
  assert.is(routes.length, 3 + 1);
  for (const route of routes.slice(0, 3)) compiled(route.replaceAll('\\"', '"'));
});

documentation('the sources and sinks in the tables of docs/reference/routes.md compile', () => {
  const sources = [...sectionOf('Sources').matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell]) => cell);
  const sinks = [...sectionOf('Sinks').matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell]) => cell);
  assert.equal([sources.length, sinks.length], [12, 4]);
  for (const source of sources) compiled(`FROM ${source} INTO topic("t")`);
  for (const sink of sinks) compiled(`FROM /* INTO ${sink}`);
});

documentation('the conditions in docs/reference/routes.md compile', () => {
  const conditions = [...sectionOf('Conditions').matchAll(/^ {4}(.+?)(?: {2,}.*)?$/gm)];
  assert.is(conditions.length, 8);
  for (const [, condition] of conditions) compiled(`FROM /* WHERE ${condition} INTO $upstream`);
});

documentation('docs/reference/routes.md names every system property', () => {
  const cells = sectionOf('Conditions').matchAll(/^\| ((?:`\$\w+` ?)+)\|/gm);
  const documented = Array.from(cells, ([, cell = '']) => cell.match(/\w+/g) ?? []).flat();
  assert.equal(documented.toSorted(), Array.from(SYSTEM_PROPERTIES.skerry).toSorted());
  const [shown = ''] = sectionOf('Messages from child hubs').match(/(?<=^ {4}).+$/m) ?? [];
  assert.equal(compiled(shown).tree.source, { kind: 'topic', filter: 'floor2/#' });
});

documentation('the error that docs/reference/routes.md shows equals the error of the compiler', () => {
  const shown = [...sectionOf('Errors and warnings').matchAll(/^ {4}(.+)$/gm)].map(([, line]) => line);
  const text = shown[1]?.trim() ?? '';
  const result = compileRoute(text);
  assert.ok('diagnostic' in result);
  assert.is(formatDiagnostic('hot', text, result.diagnostic), shown.join('\n'));
});

function sectionOf(heading: string): string {
  const section = page.split('\n## ').find(part => part.startsWith(`${heading}\n`));
  assert.ok(section, `no section ${heading}`);
  return section;
}

documentation.run();
