/** Ids as the product has them (api.md 1.4): one letter and 20 characters of lower-case base32hex in xid form, the seconds first, so that ids sort by age. */
export type IdKind = 'cluster' | 'node-pool' | 'node' | 'onboarding' | 'kubeconfig' | 'machine' | 'ledger'

// Onboarding scripts share the letter of nodes, as in the product.
const LETTERS: Readonly<Record<IdKind, string>> = { cluster: 'c', 'node-pool': 'p', node: 'n', onboarding: 'n', kubeconfig: 'k', machine: 'm', ledger: 'l' }
const ALPHABET = '0123456789abcdefghijklmnopqrstuv'

/** A new id of the kind. `randomBytes`: at least 8; throws a RangeError for fewer. */
export function newId(kind: IdKind, nowMs: number, randomBytes: Uint8Array): string {
  if (randomBytes.length < 8) throw new RangeError('an id needs 8 random bytes')
  const seconds = Math.floor(nowMs / 1000) >>> 0
  const bytes = [seconds >>> 24, (seconds >>> 16) & 255, (seconds >>> 8) & 255, seconds & 255, ...randomBytes.slice(0, 8)]
  return LETTERS[kind] + base32hex(bytes)
}

/** True if the text has the form of an id of that kind. */
export function isId(kind: IdKind, text: string): boolean {
  return text.startsWith(LETTERS[kind]) && /^[a-z][0-9a-v]{20}$/.test(text)
}

/** When an id was made, in whole seconds, epoch ms. */
export function instantOfId(id: string): number {
  // 32 bits of seconds are in seven characters of five bits, and three bits are of what follows.
  return Math.floor(Number.parseInt(id.slice(1, 8), ALPHABET.length) / 8) * 1000
}

/** Five bits a character; the last one holds what is left, filled up with zeros. */
function base32hex(bytes: readonly number[]): string {
  let text = ''
  let held = 0
  let bits = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET[(held >>> bits) & 31]
    }
    held &= (1 << bits) - 1
  }
  return bits > 0 ? text + ALPHABET[(held << (5 - bits)) & 31] : text
}
