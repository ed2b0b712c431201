/** The few pieces of DER (X.690) that a certificate is made of. */

/** One value: tag, length, content. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  if (length > 0xffff) throw new Error('A DER value of more than 64 KiB is no part of a certificate')
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts)
export const setOf = (...parts: readonly Uint8Array[]): Buffer => der(0x31, ...parts)
export const octets = (content: Uint8Array): Buffer => der(0x04, content)
export const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text))
export const TRUE = der(0x01, Buffer.from([0xff]))

/** A positive number of any size, big-endian. */
export function integer(bytes: Uint8Array): Buffer {
  return der(0x02, (bytes[0] ?? 0) >= 0x80 ? Buffer.from([0]) : Buffer.alloc(0), bytes)
}

export function bits(content: Uint8Array, unused = 0): Buffer {
  return der(0x03, Buffer.from([unused]), content)
}

/** Dotted, e.g. `2.5.29.15`. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const base128 = (value: number): number[] => {
    const bytes = [value & 0x7f]
    for (let left = value >>> 7; left > 0; left >>>= 7) bytes.unshift((left & 0x7f) | 0x80)
    return bytes
  }
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

/** Whole seconds; two digits of the year until 2049, as RFC 5280 4.1.2.5 asks. */
export function time(at: number): Buffer {
  const text = new Date(at).toISOString().replace(/[-:T]|\.\d+/g, '')
  return text < '2050' ? der(0x17, Buffer.from(text.slice(2))) : der(0x18, Buffer.from(text))
}

/** The values that follow one another in a content, each with its tag and length. */
export function valuesOf(content: Buffer): { tag: number; whole: Buffer; content: Buffer }[] {
  const values = []
  for (let at = 0; at < content.length;) {
    const short = content.readUInt8(at + 1)
    const more = short < 0x80 ? 0 : short & 0x7f
    const length = more === 0 ? short : content.readUIntBE(at + 2, more)
    const start = at + 2 + more
    values.push({ tag: content.readUInt8(at), whole: content.subarray(at, start + length), content: content.subarray(start, start + length) })
    at = start + length
  }
  return values
}
