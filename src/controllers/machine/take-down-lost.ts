import type { MachineRecord } from '#ports/store.ts'
import type { MachinePassPorts } from './ports.ts'

/**
 * Another process took their records down while this one, long thought dead, was still making them: they are nobody's, and what they took is had by others again. Each is tried for twice, as no record is left by which a later pass
 * would try again; what failed is thrown once all were tried for.
 */
export async function takeDownLost(lost: readonly MachineRecord[], ports: MachinePassPorts): Promise<void> {
  const failures: unknown[] = []
  for (const record of lost) {
    const { clock, machines } = ports.regionOf(record.region)
    try {
      await machines.ensureGone(record.id).catch(() => machines.ensureGone(record.id)) // the second failure is told
      const left = await ports.leaveToOthers(record)
      if (left) await ports.store.write(clock.now(), tx => tx.enqueue(left))
    } catch (error) {
      failures.push(new Error(`Taking down ${record.id}, whose record is gone`, { cause: error }))
    }
  }
  if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures, 'Taking down machines whose records are gone')
}
