import type { MachineRecord } from '#ports/store.ts'
import type { MachinePassPorts } from './ports.ts'

/** Another process took their records down while this one, long thought dead, was still making them: they are nobody's, and what they took is had by others again. */
export async function takeDownLost(lost: readonly MachineRecord[], ports: MachinePassPorts): Promise<void> {
  for (const record of lost) {
    const { clock, machines } = ports.regionOf(record.region)
    await machines.ensureGone(record.id)
    const left = await ports.leaveToOthers(record)
    if (left) await ports.store.write(clock.now(), tx => tx.enqueue(left))
  }
}
