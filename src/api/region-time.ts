import { refuse } from '#model/errors/catalogue.ts'
import { rfc3339Milliseconds } from '#model/time.ts'
import type { ActionContext } from './action.ts'
import type { ClockShown, RegionTime } from './regions.ts'

/** The clock of the region, or a refusal where it is everybody's. */
export function clockOf({ region, scope, action }: ActionContext): RegionTime {
  return region.clock ?? refuse('OperationDenied.RegionNotSimulated', { region: scope.region, action })
}

/** own-actions.md: GetClock, SetClock. `Behind` is a span, in the form in which `Step` takes one. */
export function clockToWire({ now, speed, paused, behindMs }: ClockShown): { Now: string; Speed: number; Paused: boolean; Behind?: string } {
  return { Now: rfc3339Milliseconds(now), Speed: speed, Paused: paused, ...(behindMs !== undefined && { Behind: behindMs < 1_000 ? `${Math.ceil(behindMs)}ms` : `${Math.ceil(behindMs / 1_000)}s` }) }
}
