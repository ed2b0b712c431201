import type { MachineTemplate } from '#model/node-pool/record.ts'
import { Held } from './not-removed.ts'

/**
 * Machines of a region that we can make and switch: boxes in local regions, the world's machines in simulated ones. A machine has a power state
 * of its own, apart from any node's. Every ensure ends in the same place when called again, or after a crash half way.
 */
export interface MachineOrder {
  readonly id: string
  readonly name: string
  /** Its address on the region's network, e.g. `10.213.4.9`. */
  readonly address: string
  readonly power: 'on' | 'off'
  readonly link: 'up' | 'cut'
  /** What it shall be like, for machines that a pool orders; providers take from it what they know. */
  readonly template?: MachineTemplate
  /** The line of an onboarding script that the machine runs once, at its first start. */
  readonly firstBoot?: string
  /** Whose quota it counts against, where the provider keeps one. */
  readonly accountId?: string
  /** The pool that ordered it. */
  readonly nodePoolId?: string
}

export const MACHINE_REFUSALS = ['StockOut', 'LimitedByQuota', 'ScalingFailed'] as const

/** The provider does not give a machine now: sold out, a quota, or another refusal. This call made nothing; asked again later it may. What an earlier call made is still there, and `look` tells. */
export class MachineRefused extends Error {
  readonly kind = 'MachineRefused'
  readonly as: (typeof MACHINE_REFUSALS)[number]
  constructor(as: MachineRefused['as'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.as = as
  }

  /** The provider has none left of what is asked for. */
  static soldOut(message: string): MachineRefused {
    return new MachineRefused('StockOut', message)
  }

  /** The account may not have more of them. */
  static overQuota(message: string): MachineRefused {
    return new MachineRefused('LimitedByQuota', message)
  }
}

/** The machine cannot be removed: it is protected, or the provider refuses. */
export class MachineHeld extends Held {
  readonly kind = 'MachineHeld'
}

export interface MachineSeen {
  readonly id: string
  readonly power: 'on' | 'off'
  /** When this power state began, epoch ms; when it was last switched on. */
  readonly powerSince: number
  readonly lastOnAt?: number
  readonly link: 'up' | 'cut'
  /** What stands in /etc/machine-id on it. */
  readonly machineId: string
  /** The pool that ordered it, as it was ordered. */
  readonly nodePoolId?: string
  /** Its first start does not go on, or failed, at a step of which the machine itself can tell nobody: what its provider sees of it, e.g. on its console. Absent where providers see nothing, or nothing is wrong. */
  readonly stuck?: MachineStuck
  /** What the region's join endpoint last refused the machine's onboarding script with, while the machine itself can tell nobody. Gone when a script begins anew, and when the machine is admitted. Absent where whoever starts a script hears its end. */
  readonly turnedAway?: MachineTurnedAway
}

export interface MachineTurnedAway {
  readonly text: string
  /** Epoch ms; of the first time in a row. */
  readonly since: number
  /** The script ended by it; otherwise it asks again by itself. */
  readonly failed?: true
}

export interface MachineStuck {
  readonly step: 'boot' | 'contact'
  readonly text: string
  /** Epoch ms. */
  readonly since: number
  readonly failed?: true
}

export interface Machines {
  /** Brings the machine to the ordered power and link, making it if it is not there. `power: 'off'` of a new machine makes its disk only. Throws MachineRefused where it cannot be had now. */
  ensure(order: MachineOrder): Promise<MachineSeen>
  /** Pulls the plug without telling anyone it was ordered: the machine's processes die at once; what is on its disk stays. */
  crash(id: string): Promise<void>
  /**
   * Answers the machine as soon as anything of it is there: also one whose making failed, or was cut off, half way. One that is on was made; of one that is off, and whose `ensure` never answered, part may be
   * missing, and `ensure` goes on making it.
   */
  look(id: string): Promise<MachineSeen | undefined>
  /** A text that is another one whenever somebody changed how many machines may be had here, so that whoever was refused one knows whether that still holds. Absent where nobody can tell. */
  supply?(): Promise<string>
  /** Calls back on every power or link change from now on, with the present state of each machine first. Ends when aborted. */
  watch(onChange: (seen: MachineSeen) => void, signal: AbortSignal): Promise<void>
  /** Nothing is left: processes, namespaces, mounts, cgroups, disk. The power goes first, so that one that is on after a removal that failed has lost nothing. Already gone is success. Throws MachineHeld where the provider refuses for good. */
  ensureGone(id: string): Promise<void>
  /** Starts an onboarding script's line on the machine and does not wait for its end; where it is absent, `exec` runs such a line. Throws MachineOff if it is off. */
  runScript?(id: string, line: string): Promise<void>
  /** Runs a command on the machine. Throws MachineOff if it is off. Output is cut to its last 256 KiB. Absent where machines run no commands; `runScript` is there then. */
  exec?(id: string, command: readonly string[], options: { stdin?: string; signal: AbortSignal; onOutput?: (chunk: string) => void }): Promise<{ exitCode: number; output: string }>
}

/** What `supply` says; undefined where nobody can tell, or cannot just now: it keeps no machine from being asked for. */
export async function supplyOf(machines: Pick<Machines, 'supply'> | undefined): Promise<string | undefined> {
  try {
    return await machines?.supply?.()
  } catch {
    return undefined // as where there is none
  }
}

export class MachineOff extends Error {
  readonly kind = 'MachineOff'
}
