import { promisify } from 'node:util'
import { constants, crc32, deflateRaw, gzip } from 'node:zlib'

const gzipNow = promisify(gzip)
const deflateNow = promisify(deflateRaw)

/** Part of a text, and the same as blocks of deflate that end at a byte and refer to nothing before them, so that they may stand in any stream (RFC 1951). */
export interface DeflatedPart {
  readonly bytes: Buffer
  readonly blocks: Buffer
}

export async function deflatedPart(text: string): Promise<DeflatedPart> {
  const bytes = Buffer.from(text)
  return { bytes, blocks: await deflateNow(bytes, { level: constants.Z_BEST_SPEED, finishFlush: constants.Z_SYNC_FLUSH }) }
}

export function gzipped(text: string): Promise<Buffer> {
  return gzipNow(text, { level: constants.Z_BEST_SPEED })
}

// RFC 1952: magic, deflate, no flags, no time, fastest, Unix.
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 3])
const STORED_HEADER_BYTES = 5
const TRAILER_BYTES = 8
/** A stored block's length is 16 bits. */
export const LONGEST_STORED_BYTES = 65_535

/** Gzip of a text whose dear part is compressed already: what stands before and behind it is stored as it is. Both have to be short, see LONGEST_STORED_BYTES. */
export function gzippedAround(before: string, part: DeflatedPart, behind: string): Buffer {
  const length = { before: Buffer.byteLength(before), behind: Buffer.byteLength(behind) }
  const whole = Buffer.allocUnsafe(HEADER.length + 2 * STORED_HEADER_BYTES + length.before + part.blocks.length + length.behind + TRAILER_BYTES)
  let at = HEADER.copy(whole)
  const store = (text: string, bytes: number, last: boolean): number => {
    at = whole.writeUInt8(last ? 1 : 0, at)
    at = whole.writeUInt16LE(bytes, at)
    at = whole.writeUInt16LE(bytes ^ 0xffff, at)
    return at += whole.write(text, at)
  }
  store(before, length.before, false)
  at += part.blocks.copy(whole, at)
  store(behind, length.behind, true)
  at = whole.writeUInt32LE(crc32(behind, crc32(part.bytes, crc32(before))), at)
  whole.writeUInt32LE((length.before + part.bytes.length + length.behind) % 2 ** 32, at)
  return whole
}

/** What an Accept-Encoding says of gzip. */
export function takesGzip(header: string | string[] | undefined): boolean {
  if (header === undefined) return false
  if (header === 'gzip') return true
  const codings = (typeof header === 'string' ? header : header.join(',')).split(',').map(coding => coding.trim().toLowerCase().replaceAll(' ', ''))
  return codings.some(coding => coding === 'gzip' || (coding.startsWith('gzip;q=') && Number(coding.slice(7)) > 0))
}
