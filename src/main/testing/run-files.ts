/**
 * Runs test files with node:test and prints them as the spec reporter does. Started as a process of its own by the test command, so that a crash of a
 * test cannot take the command along; the counts go to the file named first, and so many files run at once.
 */
import { writeFileSync } from 'node:fs'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

const [countsFile = '', isolation = 'process', atOnce = '1', ...files] = process.argv.slice(2)
const counts = { passed: 0, failed: 0, skipped: 0, failures: [] as string[], leftOut: [] as string[] }

const stream = run({ files, isolation: isolation === 'shared' ? 'none' : 'process', concurrency: isolation === 'shared' ? true : Number(atOnce), forceExit: false })
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
stream.on('end', () => writeFileSync(countsFile, JSON.stringify(counts)))
stream.compose(spec).pipe(process.stdout)
