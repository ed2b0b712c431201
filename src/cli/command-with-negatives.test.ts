import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommandWithNegatives } from './command-with-negatives.ts'

/** What a command with an argument, a flag with a value and a switch makes of the words. */
function parsed(words: readonly string[]): object {
  const seen: object[] = []
  const program = new CommandWithNegatives('edgehold').enablePositionalOptions().exitOverride().configureOutput({ writeErr: () => {} })
  program.command('clock').command('step <span>').exitOverride().option('--region <region>').option('--all').action((span: string, flags: object) => { seen.push([span, flags]) })
  program.parse([...words], { from: 'user' })
  return seen
}

// oxfmt-ignore
const TAKEN: readonly (readonly [what: string, words: readonly string[], span: string, flags: object])[] = [
  ['a span',                            ['-5m'],                           '-5m',  {}],
  ['a span before its flags',           ['-5m', '--region', 'a', '--all'], '-5m',  { region: 'a', all: true }],
  ['a span behind its flags',           ['--all', '--region', 'a', '-5m'], '-5m',  { region: 'a', all: true }],
  ['a number',                          ['-3'],                            '-3',   {}],
  ['half a number behind a switch',     ['--all', '-0.5h'],                '-0.5h', { all: true }],
  ['what a flag takes, as it is',       ['-5m', '--region', '-7d'],        '-5m',  { region: '-7d' }],
  ['one behind a flag with its value',  ['--region=a', '-5m'],             '-5m',  { region: 'a' }],
  ['one behind the end of the options', ['--', '-5m'],                     '-5m',  {}],
]
for (const [what, words, span, flags] of TAKEN) test(`a negative value is an argument: ${what}`, () => assert.deepEqual(parsed(['clock', 'step', ...words]), [[span, flags]]))

for (const words of [['-x'], ['-5m', '--colour'], ['-5m', '-6m']]) {
  test(`what no command has stays wrong: ${words.join(' ')}`, () => assert.throws(() => parsed(['clock', 'step', ...words]), /unknown option '-(x|-colour)'|too many arguments/))
}
