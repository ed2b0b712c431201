import type { Machines } from '#ports/machines.ts'
import type { MachineRecord } from '#ports/store.ts'

/** Removes it and looks: what a provider says is done and is not would be nobody's from then on. */
export async function removeMachine({ id, name }: Pick<MachineRecord, 'id' | 'name'>, machines: Machines): Promise<void> {
  await machines.ensureGone(id)
  if (await machines.look(id)) throw new Error(`The machine ${name} (${id}) was removed and is still there`)
}
