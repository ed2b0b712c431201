import { MachineHeld, type Machines } from '#ports/machines.ts'
import { notRemoved } from '#ports/not-removed.ts'
import type { MachineRecord } from '#ports/store.ts'

/** It is not gone. The message names machine and call whatever its provider said, which is the cause. */
export class NotRemoved extends Error {
  readonly kind = 'NotRemoved'

  /** Its provider refuses for good. */
  get isHeld(): boolean {
    return this.cause instanceof MachineHeld
  }
}

/** Removes it and looks: what a provider says is done and is not would be nobody's from then on. Throws NotRemoved. */
export async function removeMachine(record: Pick<MachineRecord, 'id' | 'name'>, machines: Machines): Promise<void> {
  await machines.ensureGone(record.id).catch((error: unknown) => fail(record, 'ensureGone', error))
  if (await machines.look(record.id).catch((error: unknown) => fail(record, 'look', error))) fail(record, 'ensureGone', new Error('it answered that the machine is gone, and the machine is still there'))
}

function fail({ id, name }: Pick<MachineRecord, 'id' | 'name'>, call: string, cause: unknown): never {
  throw new NotRemoved(notRemoved({ thing: `The machine ${name} (${id})`, call }, cause).join('; '), { cause })
}
