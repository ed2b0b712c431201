import type { WorldStore } from '../store/world-store.ts'
import { timesOf, type Fault } from './fault.ts'

/** Those of the regions in which a fault of the port may still strike, by what their worlds keep: for processes that do not run them. What only the region's time ends stands until it is cleared. */
export async function regionsWithFaults(store: Pick<WorldStore, 'ofKind'>, regions: readonly string[], port: string): Promise<ReadonlySet<string>> {
  const kept = await store.ofKind(regions, 'fault')
  return new Set(kept.filter(({ text }) => mayStrike(JSON.parse(text) as Fault, port)).map(({ region }) => region))
}

function mayStrike(fault: Fault, port: string): boolean {
  return fault.port === port && fault.hits < timesOf(fault)
}
