import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { leftOnHost } from '#test/harness/left-on-host.ts'
import { eventually, repositoryFolder } from './boxes-harness.ts'

const skip = process.getuid?.() !== 0 && 'needs root for network devices'

for (const [what, make] of [
  ['a region', `const { Region } = await import('#test/real/control-plane-harness.ts'); const { stateFolder } = await Region.make()`],
  ['a world of boxes', `const { BoxWorld } = await import('#test/real/boxes-harness.ts'); const { stateDir: stateFolder } = new BoxWorld()`],
]) {
  test(`nothing is left on the host of ${what} whose test was killed with all that it started`, { skip }, async () => {
    const script = `${make}; process.stdout.write(stateFolder); setInterval(() => {}, 1_000)`
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script], { cwd: repositoryFolder, stdio: ['ignore', 'pipe', 'inherit'], detached: true })
    const ended = once(child, 'exit'), state = String((await once(child.stdout, 'data'))[0])
    assert.ok((await leftOnHost(state)).some(each => each.startsWith('link ')), 'there is a bridge of it')
    process.kill(-(child.pid ?? assert.fail('it runs')), 'SIGKILL')
    await ended
    await eventually('its folder to be gone', () => !existsSync(state), 60_000)
    // What takes it away is itself there a moment longer.
    let left = await leftOnHost(state)
    await eventually('all of it to be gone', async () => (left = await leftOnHost(state)).length === 0).catch(() => undefined) // told below, by name
    assert.deepEqual(left, [])
  })
}
