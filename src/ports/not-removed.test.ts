import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ControlPlaneFailure } from './control-plane-host.ts'
import { MachineHeld } from './machines.ts'
import { notRemoved, protectedThing } from './not-removed.ts'

const OURS = { thing: 'The machine till-1 (m1)', call: 'ensureGone' }
const THEIRS = { thing: 'The machine till-1 (m1)', call: 'ReleaseMachine' }

// oxfmt-ignore
const rows: [what: string, error: unknown, says: readonly string[]][] = [
  ['words that say nothing else',         new Error('busy'),                                                   ['The machine till-1 (m1) could not be removed: ensureGone failed: busy']],
  ['no words at all',                     new Error(''),                                                       ['The machine till-1 (m1) could not be removed: ensureGone failed']],
  ['what is no error',                    'busy.',                                                             ['The machine till-1 (m1) could not be removed: ensureGone failed: busy']],
  ['a text that begins with the call',    new Error('ensureGone: no answer within 30 s'),                      ['The machine till-1 (m1) could not be removed: ensureGone: no answer within 30 s']],
  ['several that are none',               new AggregateError([], 'nobody knows'),                              ['The machine till-1 (m1) could not be removed: ensureGone failed: nobody knows']],
  ['a refusal in somebody\'s words',      new MachineHeld('locked by audit'),                                  ['The machine till-1 (m1) could not be removed: ensureGone failed: locked by audit']],
  ['a refusal that names both',           new MachineHeld(protectedThing(THEIRS), { names: THEIRS }),          ['The machine till-1 (m1) is protected against deletion: ReleaseMachine was refused']],
  ['with somebody\'s words',              new MachineHeld(protectedThing(THEIRS, 'audit'), { names: THEIRS }), ['The machine till-1 (m1) is protected against deletion: ReleaseMachine was refused: audit']],
  ['one that claims to and does not',     new MachineHeld('locked by audit', { names: THEIRS }),               ['The machine till-1 (m1) could not be removed: ensureGone failed: locked by audit']],
  ['several',                             new AggregateError([new Error('its network is busy'), new AggregateError([new ControlPlaneFailure(protectedThing(THEIRS), 'never', { names: THEIRS }), new Error('its data is busy'), new Error('its data is busy')])]),
    ['The machine till-1 (m1) is protected against deletion: ReleaseMachine was refused', 'The machine till-1 (m1) could not be removed: ensureGone failed: its network is busy; its data is busy']],
]
for (const [what, error, says] of rows) test(`thing and call are named, once, of ${what}`, () => assert.deepEqual(notRemoved(OURS, error), says))
