/** Columns as wide as their widest cell; the last one is cut to the terminal's width where there is one. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], width?: number): string {
  if (rows.length === 0) return ''
  const widths = head.map((title, column) => Math.max(shownWidth(title), ...rows.map(row => shownWidth(row[column] ?? ''))))
  return [head, ...rows].map(row => cut(row.map((cell, column) => column === head.length - 1 ? cell : pad(cell, widths[column] ?? 0)).join('  ').trimEnd(), width)).join('\n')
}

/** Name and value a line. */
export function details(rows: readonly (readonly [name: string, value: string])[]): string {
  const widest = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(widest)}  ${value}`.trimEnd()).join('\n')
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - shownWidth(text)))
}

/** Chinese characters take two columns. */
function shownWidth(text: string): number {
  return Array.from(text).reduce((sum, character) => sum + (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]/.test(character) ? 2 : 1), 0)
}

function cut(line: string, width: number | undefined): string {
  return width === undefined || line.length <= width ? line : `${line.slice(0, Math.max(1, width - 1))}…`
}
