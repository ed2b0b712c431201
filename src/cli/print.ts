import type { Common } from './flags.ts'

/** Nothing but results goes to standard output. */
export function print(text: string): void {
  if (text !== '') process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2))
}

/** The result as JSON or as the text that `inWords` makes of it. */
export async function printResult(flags: Common, value: unknown, inWords: () => string | Promise<string>): Promise<void> {
  if (flags.output === 'json') printJson(value)
  else print(await inWords())
}

/** Progress and notes. */
export function tell(text: string): void {
  process.stderr.write(`${text}\n`)
}

export function terminalWidth(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns : undefined
}
