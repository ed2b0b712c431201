/** The commands that own processes or the state folder: up, down, demo, test, bench, components, images, key. Everything else is the command line's, which only speaks to the API. */
import { Argument, Command, Option } from 'commander'
import { switchesByVariable } from '#model/switch.ts'
import { readConfiguration, type Configuration } from './configuration.ts'

function withState(command: Command): Command {
  return command
    .addOption(new Option('--state <dir>', 'state folder').env('EDGEHOLD_STATE'))
    .addOption(new Option('--listen <host:port>', 'address of the API').env('EDGEHOLD_LISTEN'))
    .addOption(new Option('--config <file>', 'configuration file (YAML or JSON)').env('EDGEHOLD_CONFIG'))
}

type Flags = { state?: string; listen?: string; config?: string }

function configuration(flags: Flags): Configuration {
  return readConfiguration(flags, process.env)
}

/** `left`: aborted when nobody reads any more what is told. */
export function buildProgram(left: AbortSignal): Command {
  const program = new Command('edgehold')
    .description('A self-hosted managed-Kubernetes control plane for edge fleets.')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text) })
    .hook('preAction', (_program, command) => { for (const [name, on] of switchesByVariable(command, process.env)) command.setOptionValueWithSource(name, on, 'env') })

  withState(program.command('up').description('start the database, the server and the regions'))
    .addOption(new Option('--detach', 'return when the API answers').env('EDGEHOLD_DETACH'))
    .addOption(new Option('--open', 'machines and pods may reach the world outside of the region'))
    .action(async (flags: Flags & { detach?: boolean; open?: boolean }) => {
      const { up, upDetached } = await import('./up.ts')
      process.exitCode = flags.detach ? await upDetached(configuration(flags)) : await up(configuration(flags))
    })

  withState(program.command('down').description('stop the server'))
    .option('--all', 'also stop control planes, machines, registry and database; nothing of ours is left on the host but the state folder')
    .action(async (flags: Flags & { all?: boolean }) => {
      const { down } = await import('./down.ts')
      process.exitCode = await down(configuration(flags), flags.all === true)
    })

  withState(program.command('demo').description('the whole story on this machine, told as it happens'))
    .addOption(new Option('--region <region>', 'where it is played: the local region where there is one, or a simulated one').env('EDGEHOLD_REGION'))
    .option('--keep', 'leave the cluster and the machines, or the region of a story, at the end')
    .option('--story <name>', 'tell another story in a simulated region of its own; list names them')
    .action(async (flags: Flags & { keep?: boolean; region?: string; story?: string }, command: Command) => {
      // A variable is for all commands, and counts where it means something.
      if (flags.story !== undefined && command.getOptionValueSource('region') === 'cli') command.error('edgehold: --region does nothing for --story, which is told in a region of its own', { exitCode: 2 })
      const { demo, demoStory } = await import('./demo/demo.ts')
      if (flags.story !== undefined) process.exitCode = await demoStory(configuration(flags), { keep: flags.keep === true, story: flags.story })
      else process.exitCode = await demo(configuration(flags), { keep: flags.keep === true, region: flags.region })
    })

  program
    .command('test [tier...]')
    .description('run the tests; without a tier all that this machine can run')
    .action(async (tiers: string[]) => {
      const { test } = await import('./testing/test.ts')
      process.exitCode = await test(tiers, configuration({}), left)
    })

  program
    .command('bench [name...]')
    .description('run the benchmarks, each a table with its baseline')
    .action(async (names: string[]) => {
      const { bench } = await import('./bench.ts')
      process.exitCode = await bench(names, configuration({}))
    })

  const components = program.command('components').description('the programs that Edgehold runs and hands to machines')
  withState(components.command('install').description('download or build what is missing'))
    .addOption(new Option('--arch <architecture>', 'processor architecture of the machines').choices(['amd64', 'arm64']))
    .addOption(new Option('--output <format>').choices(['table', 'json']).default('table'))
    .action(async (flags: Flags & { arch?: 'amd64' | 'arm64'; output: 'table' | 'json' }) => {
      const { installComponents } = await import('./components.ts')
      process.exitCode = await installComponents(configuration(flags), flags, left)
    })
  withState(components.command('list').description('what is there and what is missing'))
    .addOption(new Option('--arch <architecture>').choices(['amd64', 'arm64']))
    .addOption(new Option('--output <format>').choices(['table', 'json']).default('table'))
    .action(async (flags: Flags & { arch?: 'amd64' | 'arm64'; output: 'table' | 'json' }) => {
      const { listComponents } = await import('./components.ts')
      process.exitCode = await listComponents(configuration(flags), flags)
    })

  const images = program.command('images').description("the region's own image registry")
  withState(images.command('list').description('what is in the registry'))
    .addOption(new Option('--output <format>').choices(['table', 'json']).default('table'))
    .action(async (flags: Flags & { output: 'table' | 'json' }) => {
      const { listImages } = await import('./images.ts')
      process.exitCode = await listImages(configuration(flags), flags.output)
    })
  withState(images.command('push <name:tag> <file>').description('push an OCI or Docker archive, or with --executable one static program'))
    .option('--executable', 'the file is a static program; the image runs it')
    .action(async (reference: string, file: string, flags: Flags & { executable?: boolean }) => {
      const { pushImage } = await import('./images.ts')
      process.exitCode = await pushImage(configuration(flags), reference, file, flags.executable === true)
    })

  const key = program.command('key').description('access keys, by the state folder itself: also while the server does not run')
  withState(key.command('list').description('each key, its account, whether it is the administrator\'s, and since when it is there'))
    .addOption(new Option('--output <format>').choices(['table', 'json']).default('table'))
    .action(async (flags: Flags & { output: 'table' | 'json' }) => {
      const { listKeys } = await import('./key.ts')
      process.exitCode = await listKeys(configuration(flags), flags.output)
    })
  withState(key.command('create').description('another key of the account; its secret is told once'))
    .option('--administrator', 'it is the administrator\'s, as the first one')
    .addOption(new Option('--output <format>').choices(['table', 'json']).default('table'))
    .action(async (flags: Flags & { administrator?: boolean; output: 'table' | 'json' }) => {
      const { createKey } = await import('./key.ts')
      process.exitCode = await createKey(configuration(flags), flags.administrator === true, flags.output)
    })
  withState(key.command('set').description('whether a key is the administrator\'s: it sets balances and quotas in real regions')).argument('<id>')
    .addArgument(new Argument('<kind>').choices(['administrator', 'user']))
    .action(async (id: string, kind: string, flags: Flags) => {
      const { setKey } = await import('./key.ts')
      process.exitCode = await setKey(configuration(flags), id, kind === 'administrator')
    })
  return program
}
