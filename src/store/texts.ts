/** PostgreSQL has no text with such characters. */
export function isText(value: string): boolean {
  return value.isWellFormed() && !value.includes('\0')
}

/** With something in place of each of them: the last words of a program may hold bytes that are no text, and would keep a status from ever being written. */
export function asText(value: string): string {
  return isText(value) ? value : value.replaceAll('\0', '\uFFFD').toWellFormed()
}
