/** Prints rows of equal keys as a table for a terminal. */
export function printTable(title: string, rows: readonly Readonly<Record<string, string | number>>[]): void {
  const columns = Object.keys(rows[0] ?? {})
  const widths = columns.map(column => Math.max(column.length, ...rows.map(row => text(row[column]).length)))
  const line = (cells: readonly string[]) => cells.map((cell, index) => (index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0))).join('  ')
  process.stdout.write(`\n${title}\n${line(columns)}\n${widths.map(width => '-'.repeat(width)).join('  ')}\n${rows.map(row => line(columns.map(column => text(row[column])))).join('\n')}\n`)
}

function text(value: string | number | undefined): string {
  if (typeof value !== 'number') return value ?? ''
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 3 : 1)
}

export function median(values: readonly number[]): number {
  return percentile(values, 50)
}

export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1))] ?? Number.NaN
}

/** A ratio with the bar it must not pass. */
export function verdict(value: number, bar: number, unit = ''): string {
  return `${value.toFixed(value < 10 ? 2 : 0)}${unit} (bar ${bar}${unit}) ${value <= bar ? 'ok' : 'MISSED'}`
}
