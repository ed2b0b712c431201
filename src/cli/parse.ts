import { UsageError } from './errors.ts'

export function parseWhole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`"${text}" is not a whole number`)
  return Number(text)
}

/** A number, or `unlimited`: undefined. How small or large it may be the server says. */
export function parseLimit(text: string): number | undefined {
  const number = text.trim() === '' ? Number.NaN : Number(text)
  if (text !== 'unlimited' && !Number.isFinite(number)) throw new UsageError(`"${text}" is neither a number nor "unlimited"`)
  return text === 'unlimited' ? undefined : number
}

export function parseSwitch(text: string): boolean {
  if (text !== 'on' && text !== 'off') throw new UsageError(`"${text}" is neither on nor off`)
  return text === 'on'
}

/** `key=value` texts; the value may be empty and may hold further `=`. */
export function parsePairs(texts: readonly string[], flagName: string): readonly (readonly [key: string, value: string])[] {
  return texts.map(text => {
    const equals = text.indexOf('=')
    if (equals < 1) throw new UsageError(`${flagName} takes key=value; it is "${text}"`)
    return [text.slice(0, equals), text.slice(equals + 1)]
  })
}

/** `key=value:Effect` or `key:Effect`, as kubectl has it. */
export function parseTaint(text: string): { readonly Key: string; readonly Value: string; readonly Effect: string } {
  const match = /^([^=:]+)(?:=([^:]*))?:(NoSchedule|NoExecute|PreferNoSchedule)$/.exec(text)
  if (!match) throw new UsageError(`--taint takes key=value:Effect with NoSchedule, NoExecute or PreferNoSchedule; it is "${text}"`)
  return { Key: match[1] ?? '', Value: match[2] ?? '', Effect: match[3] ?? '' }
}
