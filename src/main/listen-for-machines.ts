import type { LocalParts } from './local-region.ts'
import type { LocalRegionRun } from './run-local-region.ts'
export async function listenForMachines(_run: LocalRegionRun, _parts: LocalParts, _signal: AbortSignal): Promise<{ line(token: string): string; done: Promise<void> }> {
  return { line: token => token, done: Promise.resolve() }
}
