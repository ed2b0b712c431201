import type { EdgeholdClient } from '#client/client.ts'

export const CLUSTER = 'demo'
export const MACHINES: readonly string[] = ['demo-1', 'demo-2']

/**
 * Why the demo cannot begin in a region where a name that it needs is another's, and what helps. Looked at before anything is made: what has such a name is a
 * user's, or left of a demo that was killed, and only its owner can tell.
 */
export async function takenNames(client: Pick<EdgeholdClient, 'all'>, region: string): Promise<string | undefined> {
  const [clusters, machines] = await Promise.all([client.all('ListClusters', { Filter: { Name: CLUSTER } }), client.all('ListMachines')])
  const cluster = clusters.some(each => each.Name === CLUSTER)
  const taken = MACHINES.filter(name => machines.some(machine => machine.Name === name))
  if (!cluster && taken.length === 0) return undefined
  const names = [...cluster ? [`the cluster ${CLUSTER}`] : [], ...taken.map(name => `the machine ${name}`)]
  return [
    `names that it needs are taken in ${region}: ${names.join(', ')}. Nothing was changed.`,
    'What is left of an earlier demo is taken away by:',
    ...removal(region, { cluster, machines: taken }).map(command => `  ${command}`),
    'What is yours stays if the demo is played in a region of its own:',
    '  ./edgehold region create demo-region',
    '  ./edgehold demo --region demo-region',
    '  ./edgehold region delete demo-region',
  ].join('\n')
}

/** The commands that take away what a demo made, in the order in which they work: a machine goes when its node is gone. */
export function removal(region: string, { cluster, machines }: { readonly cluster: boolean; readonly machines: readonly string[] }): readonly string[] {
  return [
    ...cluster ? [`./edgehold delete cluster ${CLUSTER} --cascade All --wait --region ${region}`] : [],
    ...machines.map(name => `./edgehold machine remove ${name} --wait --region ${region}`),
  ]
}
