/**
 * Runs test files with node:test and prints them as the spec reporter does. Started as a process of its own by the test command, so that a crash of a
 * test cannot take the command along; the counts go to the file named first, and so many files run at once. A test that takes longer than the minutes
 * named has failed; so has a file that has not ended in a quarter more, as what stays would hold up the printing and the counts of all others. Where
 * files share one process, that is ended when nothing has ended in it for so long.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import '../unheard.ts'
import { WATCHED_FOR } from './end-in-time.ts'

const [countsFile = '', isolation = 'process', atOnce = '1', minutes = '', ...files] = process.argv.slice(2)
const timeout = Number(minutes) * 60_000
// The processes of the files inherit it.
const patience = timeout * 1.25
process.env[WATCHED_FOR] = String(patience)
const counts = { passed: 0, failed: 0, skipped: 0, failures: [] as string[], leftOut: [] as string[] }

const stream = run(isolation === 'shared'
  ? { files, timeout, isolation: 'none', concurrency: true, forceExit: false }
  : { files, timeout, isolation: 'process', concurrency: Number(atOnce), forceExit: false, execArgv: ['--import', join(import.meta.dirname, 'end-in-time.ts')] })
stream.on('test:pass', event => {
  const isSkipped = event.skip !== undefined && event.skip !== false
  // Of a suite that is left out no test is told, so the suite itself must count.
  if (isSkipped) {
    counts.skipped++
    counts.leftOut.push(`${event.name}: ${typeof event.skip === 'string' && event.skip !== '' ? event.skip : 'it does not say why'}`)
  } else if (event.details.type !== 'suite') counts.passed++
})
stream.on('test:fail', event => {
  if (event.details.type === 'suite') return
  counts.failed++
  counts.failures.push(`${event.file ?? ''}: ${event.name}`)
})
const end = () => { writeFileSync(countsFile, JSON.stringify(counts)) }
stream.on('end', end)
if (isolation === 'shared') {
  const watch = setTimeout(() => {
    const text = `nothing has ended for ${patience} ms; what is there still: ${process.getActiveResourcesInfo().join(', ')}`
    process.stderr.write(`${text}\n`)
    counts.failed++
    counts.failures.push(text)
    end()
    process.exit(1)
  }, patience).unref()
  for (const event of ['test:pass', 'test:fail'] as const) stream.on(event, () => watch.refresh())
}
const printed = stream.compose(spec)
// Its end is waited for, whether or not anybody reads what it prints.
process.stdout.on('error', () => printed.resume())
printed.pipe(process.stdout)
