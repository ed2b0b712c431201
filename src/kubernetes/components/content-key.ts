import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { Architecture } from '#ports/components.ts'

import type { Group } from './catalogue.ts'

/**
 * Names what a group's programs are made of: its go.mod and go.sum (which pin every module, and the Go version the sources need), how they are
 * built, and for which architecture. 16 hex digits. The Go release at hand is not part of it but kept beside each result: a program already
 * built stays good when the host's Go is updated, and must be found on hosts that have no Go at all.
 */
export function contentKey(group: Group, modFile: string, sumFile: string, architecture: Architecture): string {
  const recipe = [group.version, group.tags ?? '', group.ldflags, group.cgo ?? '', architecture]
  return createHash('sha256').update(JSON.stringify([modFile, sumFile, recipe])).digest('hex').slice(0, 16)
}

/** Reads the group's module files under `componentsDir` and names their content. */
export async function readContentKey(componentsDir: string, group: Group, architecture: Architecture): Promise<string> {
  const read = (file: string) => readFile(join(componentsDir, group.folder, file), 'utf8')
  return contentKey(group, await read('go.mod'), await read('go.sum'), architecture)
}
