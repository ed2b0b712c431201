/** Lists of texts as PostgreSQL receives an array in its binary form: lengths and bytes, which nobody has to escape here nor to parse there. */

const TEXT_OID = 25
/** Five numbers: how many dimensions, whether one may be NULL, of what; then of the one dimension how many, counted from 1. */
const BEGINNING = 20
const LENGTH = 4
/** No character takes more bytes: with so many to spare, a text of others than ASCII never ends by its length. */
const LONGEST_CHARACTER = 4

/** A `text[]`. Halves of surrogate pairs become U+FFFD. */
export function sentTexts(texts: readonly (string | null)[]): Buffer {
  let ofAscii = 0
  for (const text of texts) ofAscii += text?.length ?? 0
  return write(texts, ofAscii, length => length) ?? write(texts, texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), 0), (_length, text) => Buffer.byteLength(text)) ?? notWritten()
}

/** Undefined where a text took another number of bytes than was expected. */
function write(texts: readonly (string | null)[], bytes: number, expected: (length: number, text: string) => number): Buffer | undefined {
  const all = Buffer.allocUnsafe(BEGINNING + LENGTH * texts.length + bytes + LONGEST_CHARACTER)
  let at = 0
  for (const value of texts.length === 0 ? [0, 0, TEXT_OID] : [1, 1, TEXT_OID, texts.length, 1]) at = all.writeInt32BE(value, at)
  for (const text of texts) {
    if (text === null) {
      at = all.writeInt32BE(-1, at)
      continue
    }
    const took = all.write(text, at + LENGTH)
    if (took !== expected(text.length, text)) return undefined
    at = all.writeInt32BE(took, at) + took
  }
  return all.subarray(0, at)
}

function notWritten(): never {
  throw new Error('E-TEXTS: a list of texts took another number of bytes than it has')
}
