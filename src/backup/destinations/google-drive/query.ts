export const FOLDER_TYPE = 'application/vnd.google-apps.folder';

/** A text as a query of `files.list` takes it. */
export function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** What lies directly in one of these folders and not in the trash; with `name`, only what is called so. */
export function childrenQuery(folders: readonly string[], more: { name?: string; foldersOnly?: boolean } = {}): string {
  const parents = folders.map((id) => `${quoted(id)} in parents`);
  return [
    parents.length === 1 ? parents.join('') : `(${parents.join(' or ')})`,
    ...(more.name === undefined ? [] : [`name = ${quoted(more.name)}`]),
    ...(more.foldersOnly === true ? [`mimeType = ${quoted(FOLDER_TYPE)}`] : []),
    'trashed = false',
  ].join(' and ');
}
