import { Option, type Command } from 'commander'

/** A flag with an environment variable, which means one and the same for all commands that have it: `--delete-protection` ↔ EDGEHOLD_DELETE_PROTECTION. */
export function flag(flags: string, text: string): Option {
  const name = /--([a-z-]+)/.exec(flags)?.[1] ?? ''
  return new Option(flags, text).env(`EDGEHOLD_${name.toUpperCase().replaceAll('-', '_')}`)
}

/** A flag without a variable: one that means something else at other commands, one that says what goes, and every switch but `--wait`. What a command makes or destroys is said with it each time. */
export function own(flags: string, text: string): Option {
  return new Option(flags, text)
}

export interface Common { readonly state?: string; readonly endpoint?: string; readonly region?: string; readonly output: 'table' | 'json' }

/** The flags that every command has. */
export function withCommon(command: Command): Command {
  return command
    .addOption(flag('--state <dir>', 'state folder, where credentials.json is'))
    .addOption(flag('--endpoint <url>', 'address of the API, instead of the one in credentials.json'))
    .addOption(flag('--region <region>', 'region, instead of the one in credentials.json'))
    .addOption(flag('--output <format>', 'how the result is printed').choices(['table', 'json']).default('table'))
}

export interface Waiting { readonly wait?: boolean; readonly timeout?: number }

export function withWait(command: Command, what: string): Command {
  return command
    .addOption(flag('--wait', `wait until ${what}; progress goes to standard error`))
    .addOption(flag('--timeout <span>', 'how long to wait at most, e.g. 90s, 15m').argParser(parseSpan))
}

/** `90s`, `15m`, `2h`, `7d` in ms. Throws commander's own error for a bad value by way of RangeError. */
export function parseSpan(text: string): number {
  const match = /^(\d{1,7})(s|m|h|d)$/.exec(text)
  const unit = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match?.[2] ?? '']
  if (!match || unit === undefined) throw new InvalidSpan(text)
  return Number(match[1]) * unit
}

/** A number as people write it, e.g. 60 or 0.5. Throws a UsageError that says what it is for. */
export function parseNumber(what: string): (text: string) => number {
  return text => {
    const number = text.trim() === '' ? Number.NaN : Number(text)
    if (!Number.isFinite(number)) throw new InvalidNumber(text, what)
    return number
  }
}

class InvalidNumber extends Error {
  readonly kind = 'UsageError'
  constructor(text: string, what: string) {
    super(`"${text}" is not a number; ${what}`)
  }
}

export class InvalidSpan extends Error {
  readonly kind = 'UsageError'
  constructor(text: string) {
    super(`"${text}" is not a span of time; write 90s, 15m, 2h or 7d`)
  }
}

/** For flags that may be repeated: `--label a=b --label c=d`. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...before ?? [], value]
}
