import assert from 'node:assert/strict'
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

import { ArchiveRefused, readArchiveImage } from './archive-image.ts'

const HEX = 'a'.repeat(64)
const manifest = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: `sha256:${HEX}`, size: 2 }

const refused: [what: string, files: Record<string, unknown>, says: RegExp][] = [
  ['nothing that is known', { 'readme': 'x' }, /neither an OCI layout/],
  ['an index that is not JSON', { 'index.json': '{' }, /index\.json cannot be read/],
  ['no image', { 'index.json': { manifests: [] } }, /holds 0 images/],
  ['two images', { 'index.json': { manifests: [manifest, manifest] } }, /holds 2 images/],
  ['an image whose manifest is left out', { 'index.json': { manifests: [manifest] } }, /does not hold it/],
  ['something that is no image', { 'index.json': { manifests: [{ ...manifest, mediaType: 'text/plain' }] }, [`blobs/sha256/${HEX}`]: {} }, /text\/plain, which is no image/],
  ['a digest that is a path', { 'index.json': { manifests: [{ ...manifest, digest: '../../secret' }] } }, /which is none/],
  ['two saved images', { 'manifest.json': [{ Config: 'a', Layers: [] }, { Config: 'b', Layers: [] }] }, /holds 2 images/],
  ['a saved image that names a file outside', { 'manifest.json': [{ Config: '../outside', Layers: [] }] }, /lies outside it/],
  ['a saved image with a link to a file outside', { 'manifest.json': [{ Config: 'link', Layers: [] }] }, /lies outside it/],
]

for (const [what, files, says] of refused) {
  test(`an archive with ${what} is refused in a sentence`, async () => {
    const place = await realpath(await mkdtemp(join(tmpdir(), 'edgehold-archive-')))
    try {
      const folder = join(place, 'archive')
      for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(join(folder, name)), { recursive: true })
        await writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
      }
      await writeFile(join(place, 'outside'), 'secret')
      await symlink(join(place, 'outside'), join(folder, 'link'))
      await assert.rejects(readArchiveImage(folder), (error) => error instanceof ArchiveRefused && says.test(error.message))
    } finally {
      await rm(place, { recursive: true })
    }
  })
}
