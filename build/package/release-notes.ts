import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION } from '../../src/core/version.ts';

/** Returns the release notes of this version, from CHANGELOG.md. Throws as `notesOf` does. */
export function releaseNotes(): string {
  return notesOf(readFileSync(join(import.meta.dirname, '../../CHANGELOG.md'), 'utf8'), VERSION);
}

/**
 * Returns the section of a version in the changelog, without its heading. Throws if the section is missing or
 * says that the version is unreleased.
 */
export function notesOf(changelog: string, version: string): string {
  const section = changelog.split(/^## /m).find(text => text.split(/[\s,]/, 1)[0] === version);
  if (section === undefined) throw new Error(`CHANGELOG.md has no section for ${version}.`);
  const [heading = ''] = section.split('\n', 1);
  if (/unreleased/i.test(heading))
    throw new Error(`CHANGELOG.md says that ${version} is unreleased: write its date there.`);
  return `${section.slice(heading.length).trim()}\n`;
}
