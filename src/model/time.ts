/** Calendar arithmetic without a clock: texts of instants (epoch ms in, UTC out) and of spans. */
const DAY_MS = 86_400_000

/** RFC 3339 in UTC with whole seconds, as the product's answers have it: `2022-05-06T02:49:19Z`. */
export function rfc3339Seconds(epochMs: number): string {
  return `${dateAndTime(epochMs)}Z`
}

/** RFC 3339 in UTC with milliseconds, as our own actions have it (own-actions.md). */
export function rfc3339Milliseconds(epochMs: number): string {
  return `${dateAndTime(epochMs)}.${pad(modulo(Math.floor(epochMs), 1000), 3)}Z`
}

/** A span in the two largest units that say something: `8 min`, `1 h 5 min`, `45 s`. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const parts = [
    { amount: Math.floor(seconds / 86_400), unit: 'd' },
    { amount: Math.floor(seconds / 3600) % 24, unit: 'h' },
    { amount: Math.floor(seconds / 60) % 60, unit: 'min' },
    { amount: seconds % 60, unit: 's' },
  ]
  const first = parts.findIndex(part => part.amount > 0)
  if (first < 0) return '0 s'
  return parts.slice(first, first + 2).filter(part => part.amount > 0).map(part => `${part.amount} ${part.unit}`).join(' ')
}

function dateAndTime(epochMs: number): string {
  const days = Math.floor(epochMs / DAY_MS)
  const second = Math.floor(modulo(epochMs, DAY_MS) / 1000)
  const { year, month, day } = civilDate(days)
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}T${pad(Math.floor(second / 3600), 2)}:${pad(Math.floor(second / 60) % 60, 2)}:${pad(second % 60, 2)}`
}

/** Days since 1970-01-01 to a date, counting years from March so that the leap day comes last (Hinnant's civil_from_days). */
function civilDate(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = modulo(shifted, 146_097)
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1 }
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by
}

function pad(value: number, length: number): string {
  return String(value).padStart(length, '0')
}
