/**
 * Loaded before a test file in its process: ends that process where it has not ended by itself in its time, and says what kept it. The runner of node:test
 * ends no file: a hook that waits for ever, or a timer or a socket that nobody closed, would let it wait for ever, and print nothing of the files after it.
 */
export const WATCHED_FOR = 'EDGEHOLD_TEST_FILE_MS'

const { [WATCHED_FOR]: milliseconds, NODE_TEST_CONTEXT: context } = process.env
// Not in the programs that the tests start themselves.
delete process.env[WATCHED_FOR]
if (milliseconds !== undefined && context !== undefined) setTimeout(() => {
  process.stderr.write(`${process.argv[1] ?? ''} has not ended after ${milliseconds} ms; what is there still: ${process.getActiveResourcesInfo().join(', ')}\n`)
  process.exit(1)
}, Number(milliseconds)).unref()
