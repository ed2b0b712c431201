import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** The user that PostgreSQL runs as when the server is root: `nobody`, since initdb and postgres refuse uid 0 and a uid without a name. */
export const UNPRIVILEGED = { uid: 65_534, gid: 65_534 }

/** The user to start PostgreSQL as; undefined means the caller's own. */
export function unprivilegedUser(): typeof UNPRIVILEGED | undefined {
  return process.getuid?.() === 0 ? UNPRIVILEGED : undefined
}

/** The first folder on the way to `path` (itself included) that others may not enter, or undefined if the unprivileged user gets there. */
export async function firstClosedFolder(path: string): Promise<string | undefined> {
  const folders: string[] = []
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    folders.unshift(folder)
    if (folder === dirname(folder)) break
  }
  for (const folder of folders) {
    const { mode } = await stat(folder)
    if ((mode & 0o001) === 0) return folder
  }
  return undefined
}
