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
