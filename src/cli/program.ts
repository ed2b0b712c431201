import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { switchesByVariable } from '#model/switch.ts'
import { refuseIdleTimeout } from './given.ts'
import { CommandWithNegatives } from './command-with-negatives.ts'
import { addAddonCommands } from './commands/addon.ts'
import { addScenarioCommands } from './commands/scenario.ts'
import { addBalanceCommands } from './commands/balance.ts'
import { addCallCommand } from './commands/call.ts'
import { addClockCommands } from './commands/clock.ts'
import { addClusterCommands } from './commands/cluster.ts'
import { addExplainCommands } from './commands/explain.ts'
import { addFaultCommands } from './commands/fault.ts'
import { addKubeconfigCommands } from './commands/kubeconfig.ts'
import { addKubectlCommands } from './commands/kubectl.ts'
import { addLedgerCommands } from './commands/ledger.ts'
import { addLimitCommands } from './commands/limits.ts'
import { addMachineCommands } from './commands/machine.ts'
import { addNodeCommands } from './commands/node.ts'
import { addOnboardingCommands } from './commands/onboarding.ts'
import { addPoolCommands } from './commands/pool.ts'
import { addRegionCommands } from './commands/region.ts'

const SERVER_COMMANDS = `
Commands of the server:
  up [--detach]                   start database, server and regions
  down [--all]                    stop the server; with --all everything of it on this host
  demo [--region sim-1]           the whole story on this machine, or in a simulated region
  demo --story NAME               other stories, in a simulated region of their own; --story list names them
  test [TIER…], bench [NAME…]     tests and benchmarks
  components install|list         the Kubernetes programs
  images list|push                the region's registry
  key list|create|set             access keys, and which are the administrator's

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 waited in vain, 141 nobody reads the output any more.
Keys come from <state>/credentials.json; VOLCENGINE_ACCESS_KEY, VOLCENGINE_SECRET_KEY, VOLCENGINE_ENDPOINT and VOLCENGINE_REGION win.`

/** The command line. Commands may be added to what is returned; `run` parses and maps errors to exit codes. */
export function buildProgram(): Command {
  const program: Command = new CommandWithNegatives('edgehold')
    .description('A self-hosted managed-Kubernetes control plane for edge fleets.')
    .version((JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version)
    .enablePositionalOptions()
    .showHelpAfterError('(add --help for what there is)')
    .addHelpText('after', SERVER_COMMANDS)
    .hook('preAction', (_program, command) => {
      for (const [name, on] of switchesByVariable(command, process.env)) command.setOptionValueWithSource(name, on, 'env')
      refuseIdleTimeout(command)
    })
  const verbs = {
    create: program.command('create').description('make a cluster, pool, node, add-on or onboarding script'),
    list: program.command('list').description('list clusters, pools, nodes, add-ons or onboarding scripts'),
    get: program.command('get').description('show one'),
    update: program.command('update').description('change one'),
    delete: program.command('delete').description('delete one'),
  }
  addClusterCommands(verbs)
  addPoolCommands(verbs)
  addNodeCommands(verbs, program)
  addOnboardingCommands(verbs)
  addAddonCommands(verbs)
  addKubeconfigCommands(verbs)
  addExplainCommands(program)
  addKubectlCommands(program)
  addMachineCommands(program)
  addLedgerCommands(program)
  addRegionCommands(program)
  addClockCommands(program)
  addBalanceCommands(program)
  addLimitCommands(program)
  addScenarioCommands(program)
  addFaultCommands(program)
  addCallCommand(program)
  overrideExits(program)
  return program
}

/** Errors of usage are thrown, not exits of the process, at every depth. */
function overrideExits(command: Command): void {
  command.exitOverride()
  for (const child of command.commands) overrideExits(child)
}
