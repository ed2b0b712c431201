/** Arithmetic on IPv4 ranges in text form such as `10.96.0.0/16`, for addresses that are derived and never typed by a user. */
export function prefixLength(cidr: string): number {
  return Number(cidr.split('/')[1])
}

/** The address as a number; `10.0.0.1` is 167772161. */
export function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

/** The number as a dotted address. */
export function toAddress(value: number): string {
  return [24, 16, 8, 0].map(shift => Math.floor(value / 2 ** shift) % 256).join('.')
}

/** The n-th address of a range; 0 is the network's own. */
export function nthAddress(cidr: string, n: number): string {
  const size = 2 ** (32 - prefixLength(cidr))
  const base = toNumber(cidr.split('/')[0] ?? '')
  return toAddress(base - (base % size) + n)
}

/** First and last number of a range. */
export function bounds(cidr: string): readonly [first: number, last: number] {
  const first = toNumber(nthAddress(cidr, 0))
  return [first, first + 2 ** (32 - prefixLength(cidr)) - 1]
}

/** Whether two ranges share an address. */
export function overlap(one: string, other: string): boolean {
  const [a, b] = bounds(one)
  const [c, d] = bounds(other)
  return a <= d && c <= b
}
