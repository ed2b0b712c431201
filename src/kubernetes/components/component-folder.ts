import { stat } from 'node:fs/promises'
import { join } from 'node:path'

import type { Architecture, ComponentFile, ComponentName } from '#ports/components.ts'

import { sha256Of } from './cache-entry.ts'

const sums = new Map<string, Promise<string>>()

/**
 * Finds a program in a folder that the operator filled: `<folder>/[<architecture>/]<version>/<name>`, or, for what does not exist once per
 * Kubernetes version, `<folder>/[<architecture>/]<name>`. Its version is taken on trust. The checksum is computed once per process and file state.
 */
export async function findInFolder(
  folder: string, name: ComponentName, version: string, architecture: Architecture, isPerVersion: boolean, isHost: boolean,
): Promise<ComponentFile | undefined> {
  const roots = [join(folder, architecture), ...(isHost ? [folder] : [])]
  const places = roots.flatMap((root) => [join(root, version, name), ...(isPerVersion ? [] : [join(root, name)])])
  for (const path of places) {
    const there = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
      throw error
    })
    if (!there?.isFile()) continue
    const known = `${path}\0${there.size}\0${there.mtimeMs}`
    const sum = sums.get(known) ?? sha256Of(path)
    sums.set(known, sum)
    return { name, version, architecture, path, sha256: await sum, sizeBytes: there.size }
  }
  return undefined
}
