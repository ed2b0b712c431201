import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideMachine, decideOrdered, type MachinePassSeen } from './decide.ts'

const NOW = 1_800_000_000_000, obstacle = { because: 'DeleteInstance: it is protected', at: 0 }, refused = { as: 'StockOut', because: 'sold out', at: 0 } as const

// oxfmt-ignore
const rows: [what: string, seen: Omit<MachinePassSeen, 'now'>, step: string][] = [
  ['the intent stands before anything is made',     { record: {}, ledger: undefined },                                         'intend'],
  ['then it is made',                               { record: {}, ledger: 'Intended' },                                        'ensure'],
  ['and is as ordered from then on',                { record: { machineId: 'm' }, ledger: 'Held' },                            'ensure'],
  ['one made half by a crash is made whole',        { record: { machineId: 'm' }, ledger: 'Intended' },                        'ensure'],
  ['one that is not wanted goes',                   { record: { machineId: 'm', deletionRequestedAt: 0 }, ledger: 'Held' },    'ensureGone'],
  ['also one that was only intended',               { record: { deletionRequestedAt: 0 }, ledger: 'Intended' },                'ensureGone'],
  ['or not even that',                              { record: { deletionRequestedAt: 0 }, ledger: undefined },                 'ensureGone'],
  ['and again after a crash before it was forgotten', { record: { deletionRequestedAt: 0 }, ledger: 'Released' },              'ensureGone'],
  ['one whose server becomes another keeps its place for that', { record: { deletionRequestedAt: 0 }, ledger: 'Retained', successor: { createdAt: NOW } }, 'keepPlace'],
  ['until that is there',                           { record: { deletionRequestedAt: 0 }, ledger: 'Retained', successor: { createdAt: NOW, machineId: 'n' } }, 'ensureGone'],
  ['or was refused',                                { record: { deletionRequestedAt: 0 }, ledger: 'Retained', successor: { createdAt: NOW, refused } }, 'ensureGone'],
  ['or was given up',                               { record: { deletionRequestedAt: 0 }, ledger: 'Retained', successor: { createdAt: NOW, obstacle } }, 'ensureGone'],
  ['or its time is over',                           { record: { deletionRequestedAt: 0 }, ledger: 'Retained', successor: { createdAt: NOW - 5 * 60_000 } }, 'ensureGone'],
]
for (const [what, seen, step] of rows) test(`a machine: ${what}`, () => assert.equal(decideMachine({ now: NOW, ...seen }), step))

// oxfmt-ignore
const ordered: [what: string, record: Parameters<typeof decideOrdered>[0], step: string][] = [
  ['is made: its intent came with its record',             {},                                       'ensure'],
  ['that was refused waits for whoever owns it',           { refused },                              'rest'],
  ['that is wanted no more goes, refused or not',          { refused, deletionRequestedAt: 0 },      'ensureGone'],
  ['that was given up is asked for, and not tried again',  { obstacle },                             'ask'],
  ['that was never told and cannot be removed, too',       { obstacle, deletionRequestedAt: 0 },     'ask'],
  ['that was given up and is known rests',                 { machineId: 'm', obstacle },             'rest'],
  ['that did not go is as it is ordered, if it is there',  { machineId: 'm', obstacle: { ...obstacle, held: true }, deletionRequestedAt: 0 }, 'obey'],
  ['whatever stood in the way',                            { machineId: 'm', obstacle, deletionRequestedAt: 0 }, 'obey'],
  ['that is held and was never told is asked for',         { obstacle: { ...obstacle, held: true }, deletionRequestedAt: 0 }, 'ask'],
]
for (const [what, record, step] of ordered) test(`a machine that a pool ordered ${what}`, () => assert.equal(decideOrdered(record), step))
