import { connect } from '../credentials.ts'
import { flag, withCommon, type Common } from '../flags.ts'
import { nowIn } from '../now-in.ts'
import { printJson, printResult, tell } from '../print.ts'
import { findCluster } from '../resolve.ts'
import { table } from '../text/table.ts'
import { age } from '../text/words.ts'
import type { Verbs } from './verbs.ts'

export function addKubeconfigCommands(verbs: Verbs): void {
  withCommon(verbs.list.command('kubeconfig').alias('kubeconfigs')).description('list kubeconfigs; their texts only as JSON')
    .addOption(flag('--cluster <cluster>', 'of one cluster, by name or id'))
    .action(async (flags: Common & { cluster?: string }) => {
      const client = connect(flags)
      const filter = flags.cluster === undefined ? {} : { ClusterIds: [(await findCluster(client, flags.cluster)).Id] }
      const found = await client.all('ListKubeconfigs', { Filter: filter })
      const now = await nowIn(client)
      await printResult(flags, found, () => {
        if (found.length === 0) tell('There are no kubeconfigs. Make one with "edgehold kubeconfig CLUSTER".')
        return table(['ID', 'CLUSTER', 'TYPE', 'AGE', 'ENDS', ''], found.map(one => [one.Id, one.ClusterId, one.Type, age(one.CreateTime, now), one.ExpireTime, one.Kubeconfig ? '' : 'being made']))
      })
    })

  withCommon(verbs.delete.command('kubeconfig <id>')).description('revoke a kubeconfig')
    .addOption(flag('--cluster <cluster>', 'its cluster, by name or id').makeOptionMandatory())
    .action(async (id: string, flags: Common & { cluster: string }) => {
      const client = connect(flags)
      await client.call('DeleteKubeconfigs', { ClusterId: (await findCluster(client, flags.cluster)).Id, Ids: [id] })
      if (flags.output === 'json') printJson({ Id: id })
    })
}
