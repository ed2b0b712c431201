import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, suite, test } from 'node:test'

const SCRIPT = join(import.meta.dirname, 'script')
const DEADLINE_MS = 10_000

/** The parts of `edgehold-node` over folders below `root`; what would touch this machine itself is left out, and the server gives the answers of a file, one a question. */
function nodeProgram(root: string): string {
  return [
    '#!/bin/sh', 'set -u', ...['common', 'keeping', 'reset'].map(part => belowRoot(readFileSync(join(SCRIPT, `${part}.sh`), 'utf8'), root)),
    `EH_ETC=${root}/etc EH_BIN=${root}/bin EH_CNI=${root}/cni EH_SUMS=${root}/sums EH_LIB=${root}/lib EH_RUN=${root}/run EH_LOGS=${root}/logs EH_SHARED=${root}/shared`,
    'EH_SECRET_FILE=$EH_ETC/machine.secret EH_CONF=$EH_ETC/node.conf EH_FOUND=$EH_ETC/found-before EH_URL=https://server',
    'id() { echo 0; }; uses_systemd() { return 1; }; is_outside() { false; }',
    'stop_keepers() { echo stopped >> "$EH_DID"; }; kill_ours() { :; }; unmount_ours() { :; }; remove_network() { :; }; remove_cgroups() { :; }; forget_reset() { :; }; start_tree() { :; }; tree_runs() { echo tree >> "$EH_DID"; }',
    `EH_DID=${root}/did`,
    `ask() { echo "$1" >> ${root}/asked; read -r http_status answer < ${root}/answers || http_status=000; sed -i 1d ${root}/answers; }`,
    'sleep() { command sleep 0.05; }',
    'command=$1; shift; "$command" "$@"', 'exit',
  ].join('\n')
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return '' // it has ended meanwhile
  }
}

/** This machine's own folders stay out of it. */
function belowRoot(text: string, root: string): string {
  return text.replaceAll(/(?<=[\s"'=>(])\/(?=(?:etc|opt|run|var)\b)/g, `${root}/host/`)
}

suite('a reset that is cut off', () => {
  let root = ''
  const place = (name: string): string => join(root, name)
  const lines = (name: string): string[] => (existsSync(place(name)) ? readFileSync(place(name), 'utf8').trim().split('\n') : [])
  const answers = (...each: string[]): void => writeFileSync(place('answers'), each.map(line => `${line}\n`).join(''))
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'edgehold-reset-'))
    for (const folder of ['etc', 'bin', 'shared', 'host/run']) mkdirSync(place(folder), { recursive: true })
    writeFileSync(place('etc/machine.secret'), 'a'.repeat(64))
    writeFileSync(place('etc/node.conf'), '')
    writeFileSync(place('bin/edgehold-node'), nodeProgram(root), { mode: 0o755 })
  })
  const started: ChildProcess[] = []
  afterEach(() => {
    for (const { pid, exitCode } of started.splice(0)) if (pid !== undefined && exitCode === null) killGroup(pid)
    // What `boot` started is nobody's child any more.
    for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) if (commandOf(pid).includes(place('bin/'))) killGroup(Number(pid))
    rmSync(root, { recursive: true, force: true })
  })

  const run = (...words: string[]): ChildProcess => {
    const child = spawn(place('bin/edgehold-node'), words, { stdio: 'ignore', detached: true })
    started.push(child)
    return child
  }
  const until = async (what: string, holds: () => boolean): Promise<void> => {
    for (const end = Date.now() + DEADLINE_MS; !holds();) {
      if (Date.now() > end) throw new Error(`It did not come to this: ${what}; asked ${lines('asked').join()}, did ${lines('did').join()}`)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }
  /** Runs until the server was asked in vain, and is then off, as a machine whose plug is pulled. */
  const cutOff = async (...words: string[]): Promise<void> => {
    const child = run(...words)
    await until('it asked', () => lines('asked').length >= 1)
    killGroup(child.pid ?? 0)
    assert.ok(existsSync(place('etc/machine.secret')))
    rmSync(place('asked'))
    rmSync(place('did'))
  }

  test('goes on at the next boot, is heard by the server, and leaves nothing', async () => {
    answers()
    await cutOff('reset', '--confirm')
    answers('000 nobody', '503 The server cannot reach its database.', '200 confirmed')
    run('boot')
    await until('everything is gone', () => !existsSync(place('etc')) && !existsSync(place('bin')))
    assert.deepEqual([lines('asked'), lines('did')], [['/join/confirm', '/join/confirm', '/join/confirm'], ['stopped']], 'no program is started again')
  })

  test('by hand goes on at the next boot as well, and asks once only, as it does without a boot', async () => {
    answers()
    writeFileSync(place('bin/edgehold-node'), nodeProgram(root).replace('stop_keepers() { echo', () => 'stop_keepers() { [ -e "$EH_DID" ] || { touch "$EH_DID"; kill -KILL $$; }; echo'), { mode: 0o755 })
    await new Promise(resolve => run('reset').once('exit', resolve))
    assert.deepEqual([existsSync(place('etc/machine.secret')), lines('asked')], [true, []], 'it was cut off')
    run('boot')
    await until('everything is gone', () => !existsSync(place('etc')) && !existsSync(place('bin')))
    assert.deepEqual(lines('asked'), ['/join/confirm'])
  })

  test('is gone on with by a unit of its own where systemd runs, which goes with all else at the end', async () => {
    const unit = place('host/etc/systemd/system/edgehold-reset.service')
    mkdirSync(join(unit, '..'), { recursive: true })
    const program = nodeProgram(root).replace('uses_systemd() { return 1; }', () => `uses_systemd() { return 0; }; systemctl() { echo "$*" >> ${place('systemctl')}; }`).replace('forget_reset() { :; };', '')
    writeFileSync(place('bin/edgehold-node'), program, { mode: 0o755 })
    answers()
    await cutOff('reset', '--confirm')
    assert.deepEqual(lines('systemctl'), ['daemon-reload', 'enable --quiet edgehold-reset.service'])
    const start = /^ExecStart=(\S+) (.*)$/m.exec(readFileSync(unit, 'utf8'))
    assert.deepEqual(start?.slice(1), [place('bin/edgehold-node'), 'reset --confirm'])
    answers('200 confirmed')
    run('reset', '--confirm')
    await until('everything is gone', () => !existsSync(place('etc')) && !existsSync(place('bin')))
    assert.equal(existsSync(unit), false)
    assert.ok(lines('systemctl').includes('disable --quiet edgehold-reset.service'))
  })

  test('is taken back by a join, and then a boot starts the programs and a reset that still waits cleans nothing up', async () => {
    answers()
    const waiting = run('reset', '--confirm')
    const ended = new Promise(resolve => waiting.once('exit', resolve))
    await until('it asked', () => lines('asked').length >= 1)
    run('start')
    await Promise.race([ended, new Promise((_, reject) => setTimeout(reject, DEADLINE_MS, new Error('the waiting reset did not end')).unref())])
    assert.equal(existsSync(place('etc/leaving')), false)
    assert.equal(readFileSync(place('etc/machine.secret'), 'utf8'), 'a'.repeat(64))
    run('boot')
    await until('the programs start', () => lines('did').includes('tree'))
  })
})
