import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import type { FastifyReply } from 'fastify'

const gzipped = promisify(gzip)

/** The text as gzip when the caller takes it and it is worth it; sets the reply's headers for it. */
export async function compress(text: string, reply: FastifyReply, fromBytes: number): Promise<string | Buffer> {
  if (text.length < fromBytes || !takesGzip(reply.request.headers['accept-encoding'])) return text
  reply.header('content-encoding', 'gzip').header('vary', 'accept-encoding')
  return gzipped(text, { level: constants.Z_BEST_SPEED })
}

function takesGzip(header: string | string[] | undefined): boolean {
  const codings = (typeof header === 'string' ? header : header?.join(',') ?? '').split(',').map(coding => coding.trim().toLowerCase().replaceAll(' ', ''))
  return codings.some(coding => coding === 'gzip' || (coding.startsWith('gzip;q=') && Number(coding.slice(7)) > 0))
}
