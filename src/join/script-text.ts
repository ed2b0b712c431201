import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

const FOLDER = join(import.meta.dirname, 'script')
const ONBOARDING = ['common', 'overlay', 'preflight', 'install', 'join'] as const
const NODE_PROGRAM = ['common', 'overlay', 'programs', 'keeping', 'agent', 'reset', 'node'] as const

/** The onboarding script for one token: what it must know, then its parts. */
export async function onboardingScript(known: { url: string; ca: string; token: string }): Promise<string> {
  return [
    '#!/bin/sh',
    '# Makes this machine a node of an Edgehold cluster. Run it as root; run again, it goes on with the same node.',
    'set -u',
    assignments({ EH_URL: known.url, EH_CA: known.ca.trim(), EH_TOKEN: known.token }),
    await parts(ONBOARDING),
  ].join('\n')
}

/** The program `edgehold-node` that stays on the machine. */
export async function nodeProgram(): Promise<string> {
  return ['#!/bin/sh', 'set -u', await parts(NODE_PROGRAM)].join('\n')
}

/** A script that only says why nothing is done. It is answered with 200, since curl would hide the sentence of an error. */
export function refusingScript(sentence: string): string {
  return `#!/bin/sh\nprintf 'edgehold: %s\\n' ${shellQuote(`${sentence} Nothing was installed.`)} >&2\nexit 1\n`
}

/** Lines `NAME='value'` that a POSIX shell reads. */
export function assignments(values: Readonly<Record<string, string>>): string {
  return Object.entries(values).map(([name, value]) => `${name}=${shellQuote(value)}`).join('\n')
}

export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

async function parts(names: readonly string[]): Promise<string> {
  return (await Promise.all(names.map((name) => readFile(join(FOLDER, `${name}.sh`), 'utf8')))).join('\n')
}
