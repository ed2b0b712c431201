/** `250m`, `2`, `0.5` as thousandths of a processor. */
export function cpuMillis(quantity: string | undefined): number {
  if (quantity === undefined) return 0
  return Math.ceil(quantity.endsWith('m') ? Number(quantity.slice(0, -1)) : Number(quantity) * 1000)
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60,
}

/** Kubernetes' quantities, e.g. `4038524Ki`, `1.5Gi`, `1e9`, in their own unit. */
export function amount(quantity: string | undefined): number {
  const [, number = '0', suffix = ''] = /^([0-9.]+(?:[eE][0-9]+)?)([A-Za-z]*)$/.exec(quantity ?? '0') ?? []
  return Number(number) * (UNITS[suffix] ?? 1)
}

/** What is asked for, in full MiB. */
export function memoryMiB(quantity: string | undefined): number {
  return Math.ceil(amount(quantity) / 2 ** 20)
}
