import type { Onboarding } from '#client/calls.ts'
import type { EdgeholdClient } from '#client/client.ts'
import { connect } from '../credentials.ts'
import { UsageError } from '../errors.ts'
import { flag, parseSpan, withCommon, type Common } from '../flags.ts'
import { nowIn } from '../now-in.ts'
import { print, printJson, printResult, tell } from '../print.ts'
import { findCluster, findOnboarding, findPool } from '../resolve.ts'
import { details, table } from '../text/table.ts'
import { age, statusWords } from '../text/words.ts'
import type { Verbs } from './verbs.ts'

const HOUR_MS = 3_600_000

interface Owned extends Common { readonly cluster?: string; readonly pool?: string }

const clusterFlag = () => flag('--cluster <cluster>', 'its cluster, by name or id')
const ttlFlag = (text: string) => flag('--ttl <span>', text).argParser(parseSpan)

export function addOnboardingCommands(verbs: Verbs): void {
  withCommon(verbs.create.command('onboarding <name>'))
    .description('make an onboarding script and print the one line that is run on a machine')
    .addOption(clusterFlag().makeOptionMandatory())
    .addOption(flag('--pool <pool>', 'the pool that machines join, by name or id').makeOptionMandatory())
    .addOption(ttlFlag('how long it makes nodes, e.g. 1h').default(24 * HOUR_MS, '24h'))
    .action(async (name: string, flags: Common & { cluster: string; pool: string; ttl: number }) => {
      const client = connect(flags)
      const pool = await findPool(client, flags.pool, flags.cluster)
      const whole = flags.ttl % HOUR_MS === 0
      const { Ids: [id = ''] } = await client.call('CreateBatchEdgeMachine', {
        ClusterId: pool.ClusterId, NodePoolId: pool.Id, Name: name, TTLHours: Math.ceil(flags.ttl / HOUR_MS),
        // The call counts in hours; what is no whole number of them is an instant.
        ...!whole && { ExpirationDate: Math.ceil((await nowIn(client) + flags.ttl) / 1000) },
      })
      const onboarding = await withScript(client, id)
      tell(`${name} (${id}) makes nodes of pool ${pool.Name} until ${endOf(onboarding)}. Run this line as root on each machine:`)
      if (flags.output === 'json') printJson({ Id: id, BootstrapScript: onboarding.BootstrapScript ?? '', TTLTime: onboarding.TTLTime })
      else print(onboarding.BootstrapScript ?? id)
    })

  withCommon(verbs.list.command('onboarding').alias('onboardings')).description('list onboarding scripts').addOption(clusterFlag()).action(async (flags: Owned) => {
    const client = connect(flags)
    const filter = flags.cluster === undefined ? {} : { ClusterIds: [(await findCluster(client, flags.cluster)).Id] }
    const found = await client.all('ListBatchEdgeMachine', { Filter: filter })
    const now = await nowIn(client)
    await printResult(flags, found, () => {
      if (found.length === 0) tell('There are no onboarding scripts. Make one with "edgehold create onboarding NAME --cluster CLUSTER --pool POOL".')
      return table(['NAME', 'ID', 'POOL', 'STATUS', 'AGE', 'ENDS'], found.map(one => [
        one.Name, one.Id, one.NodePoolId, statusWords(one.Status), age(one.CreateTime, now), `${endOf(one)}${one.TTLTime * 1000 < now ? ' (over)' : ''}`,
      ]))
    })
  })

  withCommon(verbs.get.command('onboarding <name>')).description('show one onboarding script with its line').addOption(clusterFlag()).action(async (name: string, flags: Owned) => {
    const client = connect(flags)
    const onboarding = await withScript(client, (await findOnboarding(client, name, flags.cluster)).Id)
    await printResult(flags, onboarding, () => details([
      ['Name', onboarding.Name], ['Id', onboarding.Id], ['Cluster', onboarding.ClusterId], ['Pool', onboarding.NodePoolId],
      ['Status', statusWords(onboarding.Status)], ['Ends', endOf(onboarding)], ['Line', onboarding.BootstrapScript ?? ''],
    ]))
  })

  withCommon(verbs.update.command('onboarding <name>')).description('move the end of an onboarding script').addOption(clusterFlag()).addOption(ttlFlag('how long from now on, e.g. 1h')).action(async (name: string, flags: Owned & { ttl?: number }) => {
    if (flags.ttl === undefined) throw new UsageError('say for how long from now on: --ttl 1h')
    const client = connect(flags)
    const { Id } = await findOnboarding(client, name, flags.cluster)
    await client.call('UpdateBatchEdgeMachine', { NodeId: Id, ExpirationDate: Math.ceil((await nowIn(client) + flags.ttl) / 1000) })
    if (flags.output === 'json') printJson({ Id })
  })

  withCommon(verbs.delete.command('onboarding <name>')).description('delete an onboarding script; nodes that it made stay').addOption(clusterFlag()).action(async (name: string, flags: Owned) => {
    const client = connect(flags)
    const { Id, ClusterId, NodePoolId } = await findOnboarding(client, name, flags.cluster)
    await client.call('DeleteBatchEdgeMachine', { ClusterId, NodePoolId, Ids: [Id] })
    if (flags.output === 'json') printJson({ Id })
  })
}

async function withScript(client: EdgeholdClient, id: string): Promise<Onboarding> {
  return findOnboardingWithScript(await client.call('ListBatchEdgeMachine', { Filter: { Ids: [id], NeedBootstrapScript: true } }), id)
}

function findOnboardingWithScript(found: { readonly Items: readonly Onboarding[] }, id: string): Onboarding {
  const [onboarding] = found.Items
  if (!onboarding) throw new Error(`the onboarding script ${id} was deleted at the same moment`)
  return onboarding
}

function endOf(onboarding: Onboarding): string {
  return new Date(onboarding.TTLTime * 1000).toISOString().replace('.000', '')
}
