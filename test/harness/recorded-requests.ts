/** Requests that the official Terraform provider 0.0.195 sent, in their order, with answers that satisfied it. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from './command.ts'

export interface RecordedItem { readonly Id: string; readonly ClusterId?: string; readonly Status: { readonly Phase: string }; readonly [member: string]: unknown }
export interface Recorded { readonly from: string; readonly action: string; readonly body: Record<string, unknown>; readonly answer: { readonly Id?: string; readonly Ids?: readonly string[]; readonly Items?: readonly RecordedItem[] } }

/** Made up by the double of which the recording is, or ours to say: not compared by value. */
const OWN_WORDS = new Set(['Id', 'Status', 'CreateTime', 'UpdateTime', 'TTLHours', 'ApiServerEndpoints', 'NodeStatistics', 'DeleteProtectionEnabled', 'ZoneId'])

export function readRecorded(file: 'terraform-provider.jsonl' | 'terraform-pools.jsonl' | 'terraform-add-ons.jsonl'): readonly Recorded[] {
  return readFileSync(join(repository, 'test/api/recorded', file), 'utf8').trimEnd().split('\n').map(line => JSON.parse(line) as Recorded)
}

/** With our ids in place of those of the recording. */
export function translated<Value>(value: Value, ours: ReadonlyMap<string, string>): Value {
  return JSON.parse(JSON.stringify(value).replaceAll(/"([cpn]c0\d+x)"/g, (whole, id: string) => JSON.stringify(ours.get(id) ?? id))) as Value
}

/** Every member that the provider was given there has to be in ours. */
export function compareMembers(wanted: unknown, found: unknown, path: string): void {
  if (typeof wanted !== 'object' || wanted === null || Array.isArray(wanted)) {
    assert.deepEqual(found, wanted, path)
    return
  }
  for (const [name, member] of Object.entries(wanted)) {
    if (OWN_WORDS.has(name)) continue
    compareMembers(member, (found as Record<string, unknown> | undefined)?.[name], `${path}.${name}`)
  }
}
