import { refuseParameter } from '#model/errors/catalogue.ts'

/** An RFC 3339 time of a body, in epoch ms. Empty counts as not sent. */
export function instantOf(action: string, parameter: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? refuseParameter(action, parameter, 'it is not a time in the form 2026-11-25T19:02:03Z') : at
}

/** The region's time ends with the year 2099. */
const LONGEST_MS = 36_525 * 86_400_000
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A span of a body, such as `90s`, `61m`, `2h` or `500ms`, in ms. */
export function spanOf(action: string, parameter: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const [, count, unit = ''] = /^(\d{1,10})(ms|s|m|h|d)$/.exec(text) ?? []
  const ms = Number(count) * (UNITS[unit] ?? Number.NaN)
  if (Number.isNaN(ms)) return refuseParameter(action, parameter, 'it is not a span of time such as 90s, 61m, 2h or 7d')
  return ms > LONGEST_MS ? refuseParameter(action, parameter, 'it is longer than a hundred years') : ms
}
