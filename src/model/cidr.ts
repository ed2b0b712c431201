/** IPv4 ranges. Addresses are unsigned 32-bit numbers inside this file, dotted text outside. */
export interface Cidr {
  readonly first: number
  readonly prefix: number
}

const OCTET = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const ADDRESS = new RegExp(`^${OCTET}\\.${OCTET}\\.${OCTET}\\.${OCTET}$`)

/** The range, or undefined if the text is not `a.b.c.d/n` or has bits set beyond its prefix (then `canonicalCidr` says which range was meant). */
export function parseCidr(text: string): Cidr | undefined {
  const cidr = parseLoosely(text)
  return cidr && cidrText(cidr) === text ? cidr : undefined
}

/** `172.22.227.9/20` → `172.22.224.0/20`; undefined if it is no range at all. */
export function canonicalCidr(text: string): string | undefined {
  const cidr = parseLoosely(text)
  return cidr && cidrText(cidr)
}

/** As `parseCidr`, for texts of our own; throws a RangeError. */
export function cidrOf(text: string): Cidr {
  const cidr = parseCidr(text)
  if (!cidr) throw new RangeError(`${text} is no IPv4 range`)
  return cidr
}

export function cidrText(cidr: Cidr): string {
  return `${addressText(cidr.first)}/${cidr.prefix}`
}

/** Number of addresses in it. */
export function cidrSize(cidr: Cidr): number {
  return 2 ** (32 - cidr.prefix)
}

/** True if `inner` (a range or one dotted address) lies wholly in `outer`. */
export function cidrContains(outer: Cidr, inner: Cidr | string): boolean {
  const range = typeof inner === 'string' ? { first: parseAddress(inner), prefix: 32 } : inner
  if (range.first === undefined) return false
  return range.first >= outer.first && range.first + 2 ** (32 - range.prefix) <= outer.first + cidrSize(outer)
}

export function cidrsOverlap(one: Cidr, other: Cidr): boolean {
  return one.first < other.first + cidrSize(other) && other.first < one.first + cidrSize(one)
}

/** The n-th address of the range as dotted text, counted from 0; negative counts from the end. Throws a RangeError outside of it. */
export function nthAddress(cidr: Cidr, n: number): string {
  const offset = n < 0 ? cidrSize(cidr) + n : n
  if (offset < 0 || offset >= cidrSize(cidr)) throw new RangeError(`${cidrText(cidr)} has no address number ${n}`)
  return addressText(cidr.first + offset)
}

/** The first range of that prefix inside `block` that overlaps none of `taken`; undefined if there is none. */
export function freeRange(block: Cidr, prefix: number, taken: readonly Cidr[]): Cidr | undefined {
  if (prefix < block.prefix || prefix > 32) return undefined
  const size = 2 ** (32 - prefix)
  const end = block.first + cidrSize(block)
  let first = block.first
  while (first + size <= end) {
    const candidate = { first, prefix }
    const inTheWay = taken.filter(range => cidrsOverlap(range, candidate))
    if (inTheWay.length === 0) return candidate
    // Past everything that is in the way at once, so that a large taken range costs one step.
    const past = Math.max(...inTheWay.map(range => range.first + cidrSize(range)))
    first = Math.max(first + size, block.first + Math.ceil((past - block.first) / size) * size)
  }
  return undefined
}

/** The dotted address as a number, or undefined. */
export function parseAddress(text: string): number | undefined {
  const match = ADDRESS.exec(text)
  return match ? match.slice(1).reduce((sum, octet) => sum * 256 + Number(octet), 0) : undefined
}

export function addressText(address: number): string {
  return [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255].join('.')
}

function parseLoosely(text: string): Cidr | undefined {
  const match = /^([\d.]+)\/(0|[1-9]\d?)$/.exec(text)
  const address = match?.[1] === undefined ? undefined : parseAddress(match[1])
  const prefix = Number(match?.[2])
  if (address === undefined || !(prefix <= 32)) return undefined
  const size = 2 ** (32 - prefix)
  return { first: Math.floor(address / size) * size, prefix }
}
