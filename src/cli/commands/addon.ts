import type { Command } from 'commander'
import type { Addon } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'
import { connect } from '../credentials.ts'
import { NothingThere, UsageError } from '../errors.ts'
import { flag, own, withCommon, withWait, type Common, type Waiting } from '../flags.ts'
import { refuseBoth } from '../given.ts'
import { nowIn } from '../now-in.ts'
import { printJson, printResult, tell, terminalWidth } from '../print.ts'
import { findCluster } from '../resolve.ts'
import { details, table } from '../text/table.ts'
import { age, statusWords } from '../text/words.ts'
import { callWhenAccepted, waitForPhase, waitUntilGone } from '../wait.ts'
import type { Verbs } from './verbs.ts'

interface Owned extends Common { readonly cluster: string }
interface Changing extends Owned, Waiting {}
interface Wanted extends Changing { readonly addonVersion?: string; readonly config?: string }

const clusterFlag = () => flag('--cluster <cluster>', 'its cluster, by name or id').makeOptionMandatory()
const TIMEOUT_MS = 10 * 60_000

export function addAddonCommands(verbs: Verbs): void {
  withWait(withCommon(verbs.create.command('addon <name>')), 'it is Running').description('install an add-on in a cluster').addOption(clusterFlag())
    .addOption(flag('--addon-version <version>', 'the newest that fits the cluster, if none is given')).addOption(own('--config <json>', 'its configuration, a JSON object'))
    .action(async (name: string, flags: Wanted) => {
      const { client, id } = await homeOf(flags)
      const body = { ClusterId: id, Name: name, ...flags.addonVersion !== undefined && { Version: flags.addonVersion }, ...flags.config !== undefined && { Config: flags.config } }
      await callWhenAccepted(client, { wait: flags.wait === true, timeoutMs: flags.timeout ?? TIMEOUT_MS, what: `the installation of ${name}` }, () => client.call('CreateAddon', body))
      await settled(client, name, id, flags)
    })

  withCommon(verbs.list.command('addon').alias('addons')).description('list add-ons').addOption(flag('--cluster <cluster>', 'of one cluster, by name or id')).addOption(own('--supported', 'those that may be installed'))
    .action(async (flags: Common & { cluster?: string; supported?: boolean }, command: Command) => {
      refuseBoth(command, '--supported', '--cluster')
      const client = connect(flags)
      if (flags.supported) {
        const { Items } = await client.call('ListSupportedAddons', {})
        await printResult(flags, Items, () => table(['NAME', 'VERSIONS', 'NECESSARY', 'CATEGORIES', 'DEPLOY MODES'], Items.map(one => [
          one.Name, one.Versions.map(version => version.Version).join(', '), one.Necessary, one.Categories.join(', '), one.DeployModes.join(', '),
        ]), terminalWidth()))
        return
      }
      const found = await client.all('ListAddons', { Filter: flags.cluster === undefined ? {} : { ClusterIds: [(await findCluster(client, flags.cluster)).Id] } })
      const now = await nowIn(client)
      await printResult(flags, found, () => {
        if (found.length === 0) tell('There are no add-ons. See what may be installed with "edgehold list addon --supported".')
        return table(['NAME', 'CLUSTER', 'VERSION', 'STATUS', 'AGE'], found.map(one => [one.Name, one.ClusterId, one.Version, statusWords(one.Status), age(one.CreateTime, now)]), terminalWidth())
      })
    })

  withCommon(verbs.get.command('addon <name>')).description('show one add-on').addOption(clusterFlag()).action(async (name: string, flags: Owned) => {
    const { client, id } = await homeOf(flags)
    const addon = await findAddon(client, id, name)
    await printResult(flags, addon, () => details([
      ['Name', addon.Name], ['Cluster', addon.ClusterId], ['Version', addon.Version], ['Status', statusWords(addon.Status)], ['Deployed', `${addon.DeployMode}, on ${addon.DeployNodeType}`], ['Config', addon.Config ?? ''],
    ]))
  })

  withWait(withCommon(verbs.update.command('addon <name>')), 'it is Running again').description('bring an add-on to another version or configuration').addOption(clusterFlag())
    .addOption(flag('--addon-version <version>', 'the version')).addOption(own('--config <json>', 'its configuration, a JSON object'))
    .action(async (name: string, flags: Wanted) => {
      if ((flags.addonVersion === undefined) === (flags.config === undefined)) throw new UsageError('say what to change: either --addon-version or --config')
      const { client, id } = await homeOf(flags)
      await callWhenAccepted(client, { wait: flags.wait === true, timeoutMs: flags.timeout ?? TIMEOUT_MS, what: `the change of ${name}` }, () => flags.config === undefined
        ? client.call('UpdateAddonVersion', { ClusterId: id, Name: name, Version: flags.addonVersion ?? '' })
        : client.call('UpdateAddonConfig', { ClusterId: id, Name: name, Config: flags.config }))
      await settled(client, name, id, flags)
    })

  withWait(withCommon(verbs.delete.command('addon <name>')), 'it is gone').description('uninstall an add-on').addOption(clusterFlag()).addOption(own('--with-crds', 'its custom resource definitions, too'))
    .action(async (name: string, flags: Changing & { withCrds?: boolean }) => {
      const { client, id } = await homeOf(flags)
      await callWhenAccepted(client, { wait: flags.wait === true, timeoutMs: flags.timeout ?? TIMEOUT_MS, what: `the removal of ${name}` }, () => client.call('DeleteAddon', { ClusterId: id, Name: name, ...flags.withCrds && { CascadingDeleteResources: ['Crd'] } }))
      if (flags.wait) await waitUntilGone(client, `add-on ${name}`, `${id}:${name}`, flags.timeout ?? TIMEOUT_MS)
      if (flags.output === 'json') printJson({ ClusterId: id, Name: name })
    })
}

export async function findAddon(client: EdgeholdClient, clusterId: string, name: string): Promise<Addon> {
  const [addon] = await client.all('ListAddons', { Filter: { ClusterIds: [clusterId], Names: [name] } })
  if (!addon) throw new NothingThere(`The cluster has no add-on ${name}. See what it has with "edgehold list addon --cluster ${clusterId}".`)
  return addon
}

async function homeOf(flags: Owned): Promise<{ client: EdgeholdClient; id: string }> {
  const client = connect(flags)
  return { client, id: (await findCluster(client, flags.cluster)).Id }
}

async function settled(client: EdgeholdClient, name: string, id: string, flags: Changing): Promise<void> {
  if (flags.wait) await waitForPhase(client, `add-on ${name}`, `${id}:${name}`, ['Running'], flags.timeout ?? TIMEOUT_MS)
  if (flags.output === 'json') printJson({ ClusterId: id, Name: name })
}
