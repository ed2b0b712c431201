/** Prints rows of equal keys as a table for a terminal. */
export function printTable(title: string, rows: readonly Readonly<Record<string, string | number>>[]): void {
  const columns = Object.keys(rows[0] ?? {})
  const widths = columns.map(column => Math.max(column.length, ...rows.map(row => text(row[column]).length)))
  const line = (cells: readonly string[]) => cells.map((cell, index) => (index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0))).join('  ')
  process.stdout.write(`\n${title}\n${line(columns)}\n${widths.map(width => '-'.repeat(width)).join('  ')}\n${rows.map(row => line(columns.map(column => text(row[column])))).join('\n')}\n`)
}

function text(value: string | number | undefined): string {
  if (typeof value !== 'number') return value ?? ''
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 3 : 1)
}

/** A line below a table: how it was measured, or what its reader must know. */
export function printNote(note: string): void {
  process.stdout.write(`${note}\n`)
}

export function median(values: readonly number[]): number {
  return percentile(values, 50)
}

export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1))] ?? Number.NaN
}

/** A value with the bar that it must not pass. */
export function verdict(value: number, bar: number, unit = ''): string {
  return `${shown(value)}${unit} (bar ${shown(bar)}${unit}) ${value <= bar ? 'ok' : 'MISSED'}`
}

/** A value with the bar that it must reach. */
export function atLeast(value: number, bar: number, unit = ''): string {
  return `${shown(value)}${unit} (bar at least ${bar}${unit}) ${value >= bar ? 'ok' : 'MISSED'}`
}

function shown(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0)
}
