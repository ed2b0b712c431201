import type { Command } from 'commander'
import { UsageError } from './errors.ts'

/** Options as they stand on the command line itself. A variable is for all commands, and counts where it means something. */
export function givenOf(command: Command): readonly string[] {
  return command.options.filter(option => command.getOptionValueSource(option.attributeName()) === 'cli').map(option => option.long ?? '')
}

/** Refuses two options of which one undoes the other. */
export function refuseBoth(command: Command, one: string, other: string): void {
  const given = givenOf(command)
  if (given.includes(one) && given.includes(other)) throw new UsageError(`say either ${one} or ${other}, not both`)
}

/** A kind of what a command makes: options that it takes and others do not, and how it is said. */
export interface Kind { readonly takes: readonly string[]; readonly said: string }

/** Refuses options that would do nothing for what is made. A variable is for all commands, and counts where it means something. */
export function refuseForeign(command: Command, kinds: readonly Kind[], kind: Kind): void {
  const foreign = givenOf(command).find(long => !kind.takes.includes(long) && kinds.some(one => one.takes.includes(long)))
  if (foreign === undefined) return
  throw new UsageError(`${foreign} does nothing for ${kind.said}: it is for ${kinds.filter(one => one.takes.includes(foreign)).map(one => one.said).join(' and ')}`)
}

/** Refuses a time for which nobody waits. */
export function refuseIdleTimeout(command: Command): void {
  const isWaiting = command.options.some(({ long }) => long === '--wait')
  if (isWaiting && givenOf(command).includes('--timeout') && command.getOptionValue('wait') !== true) throw new UsageError('--timeout says how long --wait waits, and does nothing without it')
}
