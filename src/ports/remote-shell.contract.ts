import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { RemoteShellFailed, type RemoteAddress, type RemoteFailure, type RemoteShell } from '#ports/remote-shell.ts'
import { until } from '#test/harness/waiting.ts'

type Secret = RemoteAddress & { readonly password: string }

/** What an implementation gives: a machine that lets its owner in, and others that do not. */
export interface RemoteShellUnderTest {
  readonly shell: RemoteShell
  /** A machine and its password. */
  readonly machine: Secret
  /** A line that it runs, and one that ends with 1 and words of its own, started as the user given with it. */
  readonly line: string
  readonly bad: { readonly line: string; readonly at: Secret; readonly says: RegExp }
  /** Places that cannot be logged in to, and why. */
  readonly others: readonly (readonly [as: RemoteFailure, at: Secret])[]
  /** How often the machine has begun to run the line. */
  begun(): Promise<number>
  close(): void
}

/** The promises of the remote shell's port. */
export function remoteShellContract(name: string, open: () => Promise<RemoteShellUnderTest>): void {
  describe(`remote shell contract: ${name}`, () => {
    let parts: RemoteShellUnderTest
    const patience = () => AbortSignal.timeout(10_000)
    before(async () => { parts = await open() })
    after(() => parts.close())

    test('whoever knows the password starts one line, once', async () => {
      const session = await parts.shell.logIn(parts.machine, patience())
      assert.match(session.hostKey ?? '', /^SHA256:/)
      assert.equal(await parts.begun(), 0)
      const { ended } = await session.start(parts.line, patience())
      await until(async () => await parts.begun() === 1)
      assert.equal((await ended)?.exitCode ?? 0, 0)
      session.close()
      assert.equal(await parts.begun(), 1)
    })

    test('a line that ends badly says so, with its last words', async () => {
      const { at, line, says } = parts.bad
      const session = await parts.shell.logIn(at, patience())
      const end = await (await session.start(line, patience())).ended
      assert.equal(end?.exitCode, 1)
      assert.match(end.output, says)
      session.close()
    })

    test('whatever stands in the way has a kind, and words without the password', async () => {
      for (const [as, at] of parts.others) {
        const error: unknown = await parts.shell.logIn(at, patience()).then(session => session.close(), (reason: unknown) => reason)
        assert.ok(error instanceof RemoteShellFailed, `${as}: ${String(error)}`)
        assert.equal(error.as, as, error.message)
        assert.ok(error.message.includes(at.address), error.message)
        if (at.password !== '') assert.ok(!`${error.message} ${String(error.stack)}`.includes(at.password))
      }
    })

    test('a caller that gives up is told its own reason', async () => {
      const stop = new AbortController(), reason = new Error('enough')
      stop.abort(reason)
      await assert.rejects(parts.shell.logIn(parts.machine, stop.signal), reason)
    })
  })
}
