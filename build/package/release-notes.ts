/** Returns the section of a version in the changelog, without its heading. Throws if it is missing. */
export function notesOf(changelog: string, version: string): string {
  const section = changelog.split(/^## /m).find(text => text.split(/[\s,]/, 1)[0] === version);
  if (section === undefined) throw new Error(`CHANGELOG.md has no section for ${version}.`);
  return `${section.slice(section.indexOf('\n')).trim()}\n`;
}
