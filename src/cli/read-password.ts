import { readFileSync } from 'node:fs'
import { CommandFailed, UsageError } from './errors.ts'

/** The first line of a file, or of standard input; arguments and variables of a process can be read by others. Throws CommandFailed where there is none. */
export function readPassword(file: string | undefined): string {
  const isInput = file === undefined || file === '-'
  if (isInput && process.stdin.isTTY) throw new UsageError('Give the password on standard input, or in a file with --password-file FILE; here it would be seen on the screen.')
  const source = isInput ? 'Standard input' : file
  let text: string
  try {
    text = readFileSync(isInput ? 0 : file, 'utf8')
  } catch (error) {
    throw new CommandFailed(`${source} could not be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  const [password = ''] = text.split(/\r?\n/, 1)
  if (password === '') throw new CommandFailed(`${source} holds no password in its first line.`)
  return password
}
