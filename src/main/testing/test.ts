import { ensureHostTools } from '#providers/local/host-network/host-tools.ts'
import { openComponents, progressLine } from '../components.ts'
import type { Configuration } from '../configuration.ts'
import { bringPrograms, REAL_TEST_PROGRAMS, VIRTUAL_MACHINE_PROGRAMS } from '../host-packages.ts'
import { bringDistributionPostgresql } from './distribution-postgresql.ts'
import { testCommand } from './test-command.ts'
import type { Need } from './tiers.ts'

/** `./edgehold test [TIER…]`. */
export function test(tiers: readonly string[], configuration: Configuration, left: AbortSignal): Promise<number> {
  const brought = new Map<Need, Promise<string | undefined>>()
  return testCommand(tiers, {
    repository: configuration.repository,
    left,
    bring(need) {
      const answer = brought.get(need) ?? bring(need, configuration)
      brought.set(need, answer)
      return answer
    },
  })
}

async function bring(need: Need, configuration: Configuration): Promise<string | undefined> {
  const say = (text: string) => void process.stdout.write(`${text}\n`)
  switch (need) {
    case 'linux':
      return process.platform === 'linux' ? undefined : 'it needs Linux'
    case 'root':
      if (process.getuid?.() !== 0) return 'it needs root'
      await ensureHostTools(say)
      return bringPrograms(REAL_TEST_PROGRAMS, say)
    case 'virtual-machine':
      return bringPrograms(VIRTUAL_MACHINE_PROGRAMS, say)
    case 'postgresql-15':
      return bringDistributionPostgresql(say)
    case 'components':
      // Not being able to build what the tests run is a failure, not something to leave out.
      await openComponents(configuration).install({ onProgress: progress => say(progressLine(progress)), signal: AbortSignal.timeout(60 * 60_000) })
      return undefined
  }
}
