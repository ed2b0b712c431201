/** One tier of `./edgehold test`, in the order in which they run: the quick ones first, so that a mistake shows early, beside one whose work goes on inside a machine of its own and those that only compute; at the end those that need the host for themselves. */
export interface Tier {
  readonly name: string
  /** One line for people. */
  readonly what: string
  /** Globs of test files; a tier without any is a command of its own. */
  readonly files: readonly string[]
  readonly command?: readonly string[]
  /** `shared`: all files in one process (style: no module state). `process`: a process a file, one after the other. */
  readonly isolation: 'shared' | 'process'
  /** Files at once, where most of their time is waiting; one after the other where it is not said. */
  readonly atOnce?: number
  /** Runs beside those that follow it, as one of them or on the processor time that they leave; what it printed comes when it ends. */
  readonly beside?: 'equal' | 'idle'
  /** Waits for those that run beside others: its tests wait for programs of this host, and each takes the time that it takes. Those that follow each other are run as one, so that no file is waited for at the end of each. */
  readonly alone?: true
  /** Runs only when it is named: it takes long, and what it shows is shown in a smaller way by another tier. */
  readonly onRequest?: true
  readonly needs: readonly Need[]
  /** What some of its tests use; without it those are left out, and the tier runs. */
  readonly wishes?: readonly Need[]
  /** Minutes after which one of its tests counts as failed, 5 where it is not said; its file has a quarter more. */
  readonly testMinutes?: number
  /** Minutes after which the tier counts as failed. */
  readonly limitMinutes: number
}

export type Need = 'root' | 'linux' | 'components' | 'virtual-machine' | 'postgresql-15'

/** Files that take long, the longest first: begun last, one of them would go on alone while a processor has nothing to do. */
export const LONG_FILES: readonly string[] = [
  'test/chaos/simulated-every-commit.test.ts', 'test/chaos/broken-components.test.ts', 'test/e2e/whole-way.test.ts', 'test/real/onboarding.test.ts', 'test/real/outside-machine.test.ts',
  'test/chaos/every-commit.test.ts', 'test/chaos/server-killed.test.ts', 'test/real/arrears.test.ts', 'test/scenarios/bad-moments.test.ts', 'test/scenarios/status-proof.test.ts',
]

export function longestFirst(files: readonly string[]): readonly string[] {
  const place = (file: string) => {
    const at = LONG_FILES.indexOf(file)
    return at === -1 ? LONG_FILES.length : at
  }
  return files.toSorted((one, other) => place(one) - place(other))
}

export const TIERS: readonly Tier[] = [
  { name: 'types', what: 'the whole tree type-checks, the tests of the types included', files: [], command: ['tsc'], isolation: 'process', needs: [], limitMinutes: 3 },
  { name: 'lint', what: 'the linter, which guards the layers', files: [], command: ['oxlint', '--type-aware'], isolation: 'process', needs: [], limitMinutes: 3 },
  { name: 'layers', what: 'planted violations of the layers are caught; generated pages are up to date', files: ['test/layers/*.test.ts'], isolation: 'process', needs: [], limitMinutes: 10 },
  { name: 'virtual-machine', what: 'the onboarding script on a machine with its own kernel, systemd and cgroup v2', files: ['test/real/virtual-machine.test.ts'], isolation: 'process', beside: 'equal', needs: ['linux', 'root', 'components', 'virtual-machine'], testMinutes: 16, limitMinutes: 25 },
  { name: 'crash-points', what: 'every crash point of every scenario: it ends the same wherever its server dies', files: ['test/crash-points/**/*.test.ts'], isolation: 'process', beside: 'idle', needs: [], testMinutes: 30, limitMinutes: 40 },
  { name: 'model', what: 'random stories of a simulated region against the rules, and every crash point of some', files: ['test/model-based/**/*.test.ts'], isolation: 'shared', beside: 'idle', needs: [], testMinutes: 30, limitMinutes: 40 },
  { name: 'unit', what: 'decisions, contracts, API', files: ['src/**/!(*.pg).test.ts', 'test/api/**/!(*.pg).test.ts', 'test/harness/**/*.test.ts'], isolation: 'shared', needs: [], limitMinutes: 20 },
  // In a process of their own: years of a region's time make much garbage, and each look for it goes over all that earlier tests left behind.
  { name: 'stories', what: 'what comes of causes, told step by step in memory', files: ['test/stories/**/!(*.pg).test.ts'], isolation: 'shared', needs: [], limitMinutes: 20 },
  { name: 'simulated', what: 'a life in a simulated region by the command line, without root, and one over the death of servers at every kind of commit', files: ['test/e2e/simulated.test.ts', 'test/chaos/simulated-*.test.ts'], isolation: 'process', atOnce: 2, needs: ['linux'], testMinutes: 15, limitMinutes: 25 },
  { name: 'store', what: 'the store and the queue on PostgreSQL, killed at bad moments', files: ['src/**/*.pg.test.ts', 'test/**/*.pg.test.ts'], isolation: 'process', atOnce: 2, needs: ['linux'], wishes: ['postgresql-15'], limitMinutes: 15 },
  { name: 'scenarios', what: 'every row of the status tables is reached, by scenarios that a foreign client replays, and never without its cause', files: ['test/scenarios/*.test.ts'], isolation: 'process', atOnce: 2, needs: ['linux'], wishes: ['postgresql-15'], limitMinutes: 15 },
  { name: 'real', what: 'control planes, boxes, registry and onboarding with real programs', files: ['test/real/!(virtual-machine)*.test.ts'], isolation: 'process', alone: true, atOnce: 3, needs: ['linux', 'root', 'components'], limitMinutes: 25 },
  { name: 'e2e', what: 'the whole way by the README\'s own commands', files: ['test/e2e/**/!(simulated).test.ts'], isolation: 'process', alone: true, atOnce: 3, needs: ['linux', 'root', 'components'], limitMinutes: 25 },
  { name: 'chaos', what: 'killed at bad moments, the host rebooted, disks full, ports taken: it comes back right', files: ['test/chaos/!(simulated-*).test.ts'], isolation: 'process', alone: true, atOnce: 3, needs: ['linux', 'root', 'components'], wishes: ['postgresql-15'], limitMinutes: 25 },
  { name: 'virtual-machine-outside', what: 'the same on a network of its own behind a router, as the tier real shows it with a box', files: ['test/real/virtual-machine-outside.test.ts'], isolation: 'process', onRequest: true, needs: ['linux', 'root', 'components', 'virtual-machine'], testMinutes: 20, limitMinutes: 30 },
]
