import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { READER_LEFT } from '#client/outputs.ts'
import type { Configuration } from './configuration.ts'

/** `./edgehold bench [NAME…]`: each benchmark is a file of `bench/` that prints a table with its baseline from the same run. */
export async function bench(names: readonly string[], configuration: Configuration): Promise<number> {
  const folder = join(configuration.repository, 'bench')
  const all = readdirSync(folder).filter(file => file.endsWith('.bench.ts')).map(file => file.slice(0, -'.bench.ts'.length)).toSorted()
  const unknown = names.filter(name => !all.includes(name))
  if (unknown.length > 0) {
    process.stderr.write(`edgehold bench: there is no benchmark ${unknown.join(', ')}; there are ${all.join(', ')}\n`)
    return 2
  }
  let failed = false
  for (const name of names.length > 0 ? names : all) {
    const code = await new Promise<number>((resolve, reject) => {
      const child = spawn(process.execPath, ['--import', join(import.meta.dirname, 'unheard.ts'), join(folder, `${name}.bench.ts`)], { cwd: configuration.repository, stdio: 'inherit' })
      child.on('error', reject)
      child.on('exit', exit => resolve(exit ?? 1))
    })
    if (code === READER_LEFT) return code
    failed ||= code !== 0
  }
  return failed ? 1 : 0
}
