import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'

const gzipNow = promisify(gzip)

export function gzipped(text: string): Promise<Buffer> {
  return gzipNow(text, { level: constants.Z_BEST_SPEED })
}

/** What an Accept-Encoding says of gzip. */
export function takesGzip(header: string | string[] | undefined): boolean {
  if (header === undefined) return false
  const codings = (typeof header === 'string' ? header : header.join(',')).split(',').map(coding => coding.trim().toLowerCase().replaceAll(' ', ''))
  return codings.some(coding => coding === 'gzip' || (coding.startsWith('gzip;q=') && Number(coding.slice(7)) > 0))
}
