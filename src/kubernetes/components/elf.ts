import { open } from 'node:fs/promises'

import type { Architecture } from '#ports/components.ts'

const HEADER_BYTES = 20
/** e_machine of an ELF header. */
const MACHINES: Readonly<Record<number, Architecture>> = { 0x3e: 'amd64', 0xb7: 'arm64' }

/** For which processor a program was made, by its ELF header; undefined for what is no ELF program, a script for example. */
export async function elfArchitecture(path: string): Promise<Architecture | 'other' | undefined> {
  await using file = await open(path)
  const header = Buffer.alloc(HEADER_BYTES)
  await file.read(header, 0, header.length, 0)
  const isElf = header.subarray(0, 4).equals(Buffer.from('\x7fELF', 'latin1'))
  return isElf ? MACHINES[header.readUInt16LE(18)] ?? 'other' : undefined
}
