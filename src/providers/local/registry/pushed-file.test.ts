import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkPushedFile, FileRefused } from './pushed-file.ts'

test('only an archive, or a program where one is wanted, is pushed; anything else is a sentence', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'edgehold-pushed-'))
  const at = (name: string): string => join(folder, name)
  const refused = (path: string, wanted: 'archive' | 'program', says: RegExp): Promise<void> =>
    assert.rejects(checkPushedFile(path, wanted), error => error instanceof FileRefused && says.test(error.message))
  try {
    await writeFile(at('empty'), '')
    await writeFile(at('script'), '#!/bin/sh\n')
    await writeFile(at('program'), '\x7fELF', 'latin1')
    execFileSync('tar', ['-cf', at('archive.tar'), '-C', folder, 'script'])
    execFileSync('tar', ['-czf', at('archive.tgz'), '-C', folder, 'script'])
    for (const name of ['archive.tar', 'archive.tgz']) await checkPushedFile(at(name), 'archive')
    await checkPushedFile(at('program'), 'program')
    for (const name of ['empty', 'script']) {
      await refused(at(name), 'archive', /is no archive: an OCI layout or the output of docker save is needed, packed by tar\.$/)
      await refused(at(name), 'program', /is no program: an executable in the ELF format/)
    }
    await refused(at('program'), 'archive', /is pushed with --executable/)
    await refused(at('archive.tar'), 'program', /is pushed without --executable/)
    for (const wanted of ['archive', 'program'] as const) {
      await refused(at('nothing'), wanted, /^There is no file .*nothing\.$/)
      await refused(folder, wanted, /is no file/)
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})
