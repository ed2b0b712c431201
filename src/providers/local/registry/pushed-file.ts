import { open } from 'node:fs/promises'

/** A file that cannot become an image; the message says why and what would. */
export class FileRefused extends Error {
  readonly kind = 'FileRefused'
}

const ELF = '7f454c46'
/** gzip, bzip2, xz and zstd, as `tar` tells them apart. */
const COMPRESSED = ['1f8b', '425a68', 'fd377a585a00', '28b52ffd']
const TAR_MAGIC_AT = 257

/** Looks at what the user gave before anything is started for it. Throws FileRefused. */
export async function checkPushedFile(path: string, wanted: 'archive' | 'program'): Promise<void> {
  const head = await readHead(path)
  const begins = (hex: string): boolean => head.subarray(0, hex.length / 2).toString('hex') === hex
  const isArchive = COMPRESSED.some(begins) || head.subarray(TAR_MAGIC_AT, TAR_MAGIC_AT + 5).toString('latin1') === 'ustar'
  if (wanted === 'archive' && isArchive) return
  if (wanted === 'program' && begins(ELF)) return
  if (wanted === 'program') throw new FileRefused(`${path} is no program: an executable in the ELF format is needed, linked statically${isArchive ? '; it is an archive, which is pushed without --executable' : ''}.`)
  throw new FileRefused(`${path} is no archive: an OCI layout or the output of docker save is needed, packed by tar${begins(ELF) ? '; it is a program, which is pushed with --executable' : ''}.`)
}

async function readHead(path: string): Promise<Buffer> {
  try {
    await using file = await open(path)
    if (!(await file.stat()).isFile()) throw new FileRefused(`${path} is no file.`)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(TAR_MAGIC_AT + 5), 0, TAR_MAGIC_AT + 5, 0)
    return buffer.subarray(0, bytesRead)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new FileRefused(`There is no file ${path}.`, { cause: error })
    if (code === 'EACCES') throw new FileRefused(`${path} may not be read.`, { cause: error })
    throw error
  }
}
