import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmod, chown, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'

import { copyOnce, findEmbeddedBinaries } from './binaries.ts'
import { firstClosedFolder, UNPRIVILEGED, unprivilegedUser } from './traversable.ts'

async function run(command: string, args: readonly string[], user: object): Promise<{ code: number | null; said: string }> {
  const child = spawn(command, args, { ...user, cwd: '/' })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const code = await new Promise<number | null>(resolve => child.once('close', resolve))
  return { code, said }
}

test('a copy of the software is whole, runs for the unprivileged user, and is made once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'edgehold-copy-'))
  try {
    const { folder: bin } = await findEmbeddedBinaries(folder)
    const target = join(folder, 'postgres-copy')
    await Promise.all([copyOnce(dirname(bin), target), copyOnce(dirname(bin), target)])
    const { ino } = await stat(target)
    await copyOnce(dirname(bin), target)
    assert.equal((await stat(target)).ino, ino)
    if (unprivilegedUser()) await chmod(folder, 0o711)
    const { code, said } = await run(join(target, 'bin', 'postgres'), ['--version'], unprivilegedUser() ?? {})
    assert.deepEqual([code, said.trim().startsWith('postgres (PostgreSQL) 18')], [0, true], said)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('folders that the unprivileged user cannot enter are named', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'edgehold-closed-'))
  try {
    assert.equal(await firstClosedFolder(folder), folder)
    await chmod(folder, 0o711)
    assert.equal(await firstClosedFolder(folder), undefined)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('without root the database listens on loopback alone and is stopped by its state folder', { skip: unprivilegedUser() ? false : 'the other tests run without root already' }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'edgehold-user-'))
  try {
    await chown(folder, UNPRIVILEGED.uid, UNPRIVILEGED.gid)
    const open = fileURLToPath(import.meta.resolve('#store/open.ts'))
    const script = `
      import { openStore } from ${JSON.stringify(open)}
      const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log }
      const clock = { now: () => Date.now(), sleep: (ms, signal) => new Promise(resolve => { const timer = setTimeout(resolve, ms); signal?.addEventListener('abort', () => { clearTimeout(timer); resolve() }) }) }
      const opened = await openStore({ stateDir: ${JSON.stringify(join(folder, 'state'))}, log, clock })
      await opened.store.write(0, tx => tx.putSecret('name', 'value'))
      const { readFile } = await import('node:fs/promises')
      const lines = (await readFile(${JSON.stringify(join(folder, 'state', 'postgres', 'data', 'postmaster.pid'))}, 'utf8')).split('\\n')
      console.log(await opened.store.readSecret('name'), lines[4] === '', lines[5])
      await opened.close()
      await opened.stopDatabase()`
    const { code, said } = await run(process.execPath, ['--input-type=module', '-e', script], UNPRIVILEGED)
    assert.deepEqual([code, said.trim()], [0, 'value true 127.0.0.1'])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
