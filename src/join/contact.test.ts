import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, suite, test } from 'node:test'

const SCRIPTS = join(import.meta.dirname, 'script')
const part = (name: string): string => readFileSync(join(SCRIPTS, `${name}.sh`), 'utf8')

/** The script's first contact with a server that gives these answers, one a question, on a machine whose folders lie below `root`. */
function contact(root: string, answers: readonly string[]): Promise<{ code: number; output: string; asked: string[] }> {
  writeFileSync(join(root, 'answers'), answers.map(answer => `${answer}\n`).join(''))
  rmSync(join(root, 'asked'), { force: true })
  const text = [
    'set -u', part('common'), part('join').replace(/\nmain\nexit\s*$/, '\n'),
    `EH_ETC=${root}/etc EH_BIN=${root}/bin EH_RUN=${root}/run EH_SECRET_FILE=${root}/etc/machine.secret EH_CONF=${root}/etc/node.conf EH_CA_FILE=${root}/etc/ca EH_CA=ca`,
    `ask() { echo "$1 $(cat "$EH_SECRET_FILE")" >> ${root}/asked; for word in "$@"; do case $word in run=*) echo "$word" >> ${root}/runs ;; esac; done; read -r http_status answer < ${root}/answers; sed -i 1d ${root}/answers; }`,
    'mkdir -p "$EH_ETC"; make_secret; contact',
  ].join('\n')
  return new Promise(resolve => {
    execFile('sh', ['-c', text], { timeout: 10_000 }, (error, stdout, stderr) => {
      const asked = readFileSync(join(root, 'asked'), 'utf8').trim().split('\n')
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr, asked })
    })
  })
}

const WELCOME = "200 EH_NODE_NAME='shop-1' EH_CLUSTER_NAME='shop'"

suite('the first contact of a machine', () => {
  let root = ''
  const secretFile = (): string => join(root, 'etc/machine.secret')
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'edgehold-contact-'))))
  afterEach(() => rmSync(root, { recursive: true, force: true }))
  const known = (): void => {
    mkdirSync(join(root, 'etc'))
    writeFileSync(secretFile(), 'a'.repeat(64))
  }

  test('a machine that was removed before anything was installed confirms and comes as a new one', async () => {
    known()
    const { code, output, asked } = await contact(root, ['410 This machine was removed.', '200 confirmed', WELCOME])
    assert.equal(code, 0, output)
    const secret = readFileSync(secretFile(), 'utf8')
    assert.notEqual(secret, 'a'.repeat(64))
    assert.deepEqual(asked, [`/join/join ${'a'.repeat(64)}`, `/join/confirm ${'a'.repeat(64)}`, `/join/join ${secret}`])
  })

  test('all tries of one run are told to be of one, and another run is another', async () => {
    const runs = () => readFileSync(join(root, 'runs'), 'utf8').trim().split('\n')
    await contact(root, ['503 Not now.', WELCOME])
    await contact(root, [WELCOME])
    const [first, again, next] = runs()
    assert.match(first ?? '', /^run=[0-9a-f]{16}$/)
    assert.deepEqual([again === first, next === first], [true, false])
  })

  test('its secret stays until the server has heard the confirmation, which alone frees the name', async () => {
    known()
    const { code } = await contact(root, ['410 This machine was removed.', '503 The server cannot reach its database.'])
    assert.equal(code, 1)
    assert.equal(readFileSync(secretFile(), 'utf8'), 'a'.repeat(64))
  })

  for (const status of ['400', '403', '409']) {
    test(`a machine that is refused with ${status} keeps no trace, but one that is known keeps its secret`, async () => {
      assert.equal((await contact(root, [`${status} No.`])).code, 1)
      assert.equal(existsSync(join(root, 'etc')), false)
      known()
      assert.equal((await contact(root, [`${status} No.`])).code, 1)
      assert.equal(readFileSync(secretFile(), 'utf8'), 'a'.repeat(64))
    })
  }
})
