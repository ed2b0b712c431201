import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { WATCH } from '#client/calls.ts'
import { connect } from '../credentials.ts'
import { UsageError } from '../errors.ts'
import { givenOf } from '../given.ts'
import { flag, withCommon, type Common } from '../flags.ts'
import { print, printJson } from '../print.ts'

/** Long enough for a script that is run on a machine. */
const TIMEOUT_MS = 11 * 60_000

export function addCallCommand(program: Command): void {
  withCommon(program.command('call <action> [json]'))
    .description(`call any action, signed; "-" reads the body from standard input. ${WATCH} prints a line for each change, until you break it off`)
    .addOption(flag('--version <version>', 'version of the action; by default the right one for the actions known'))
    .action(async (action: string, json: string | undefined, flags: Common & { version?: string }, command: Command) => {
      if (action === WATCH && givenOf(command).includes('--version')) throw new UsageError(`--version does nothing for ${WATCH}, which has one version`)
      const body = parseObject(json === '-' ? readFileSync(0, 'utf8') : json ?? '{}')
      if (action === WATCH) {
        for await (const change of connect(flags).watch(body)) print(JSON.stringify(change))
        return
      }
      printJson(await connect(flags).callAny(action, body, { timeoutMs: TIMEOUT_MS, ...flags.version !== undefined && { version: flags.version } }))
    })
}

function parseObject(text: string): object {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new UsageError(`the body is not JSON: ${error.message}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new UsageError('the body has to be a JSON object, such as \'{"Filter":{}}\'')
  return value
}
