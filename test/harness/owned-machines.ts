import type { MachineRecord, Store } from '#ports/store.ts'

/** Whose machine it is; of a bare claim the node's id is the one it would get. */
export type MachineOwner = { readonly clusterId: string } | { readonly nodePoolId: string } | { readonly nodeId: string }

/** Machines that pools ordered for it, oldest first. Nothing that runs asks so, and no index is kept for it. */
export async function machinesOwnedBy(store: Pick<Store, 'machinesOfRegion'>, region: string, parent: MachineOwner): Promise<readonly MachineRecord[]> {
  return (await store.machinesOfRegion(region)).filter(({ ownedBy }) => Object.entries(parent).every(([name, id]) => ownedBy?.[name as keyof typeof ownedBy] === id))
}
