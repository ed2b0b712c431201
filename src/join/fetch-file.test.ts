import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const SCRIPT = join(import.meta.dirname, 'script')
const PROGRAM = Buffer.alloc(200_000, 'program')
const SUM = createHash('sha256').update(PROGRAM).digest('hex')

/** Runs `fetch_file kubelet` against a server that gives these answers, the last one for ever. */
async function fetched(...answers: readonly RequestListener[]): Promise<{ asked: number; output: string; file: Buffer | undefined }> {
  const folder = mkdtempSync(join(tmpdir(), 'edgehold-fetch-'))
  mkdirSync(join(folder, 'sums'))
  let asked = 0
  const server = createServer((request, response) => answers[Math.min(asked++, answers.length - 1)]?.(request, response))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  try {
    const known = `EH_URL=http://127.0.0.1:${(server.address() as AddressInfo).port} EH_CA_FILE=/dev/null EH_ARCH=amd64 EH_SUMS='${folder}/sums' EH_FILES='kubelet:v1:${SUM}:${PROGRAM.length}'`
    const { stderr } = await promisify(execFile)('sh', ['-uc', `. ${SCRIPT}/common.sh; . ${SCRIPT}/install.sh; ${known}; fetch_file kubelet '${folder}' || :`], { timeout: 60_000 })
    let file: Buffer | undefined
    try {
      file = readFileSync(join(folder, 'kubelet'))
    } catch { /* was not fetched */ }
    return { asked, output: stderr, file }
  } finally {
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

const unavailable: RequestListener = (_request, response) => response.writeHead(503).end()
const cut: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-length': PROGRAM.length }).write(PROGRAM.subarray(0, PROGRAM.length / 2), () => response.destroy())
}
const whole: RequestListener = (_request, response) => response.end(PROGRAM)
const another: RequestListener = (_request, response) => response.end('another program')

test('a server that is just started anew is waited for, and what it had not sent whole is fetched again', async () => {
  const { file, output } = await fetched(unavailable, unavailable, cut, unavailable, unavailable, whole)
  assert.ok(file?.equals(PROGRAM), output)
})

test('a program with another checksum is never taken', async () => {
  const { file, output, asked } = await fetched(another)
  assert.equal(file, undefined)
  assert.equal(asked, 3)
  assert.match(output, /kubelet v1 could not be fetched whole: its checksum is [0-9a-f]{64} and should be /)
})
