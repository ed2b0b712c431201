/** What a program's log line says, for people: the message and error of a line that is JSON (as etcd's are), any other line as it stands. */
export function logLineText(line: string): string {
  if (!line.startsWith('{')) return line.trim()
  try {
    const { msg, error } = JSON.parse(line) as { msg?: unknown; error?: unknown }
    const words = [msg, error].filter(word => typeof word === 'string' && word !== '')
    return words.length > 0 ? words.join(': ') : line.trim()
  } catch {
    return line.trim() // cut off, or not JSON after all
  }
}
