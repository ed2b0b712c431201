import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressText, canonicalCidr, cidrContains, cidrOf, cidrsOverlap, cidrSize, cidrText, freeRange, nthAddress, parseAddress, parseCidr } from './cidr.ts'

const anyCidr = fc.record({ address: fc.integer({ min: 0, max: 2 ** 32 - 1 }), prefix: fc.integer({ min: 0, max: 32 }) })
  .map(({ address, prefix }) => ({ first: Math.floor(address / 2 ** (32 - prefix)) * 2 ** (32 - prefix), prefix }))

test('text and range are two forms of one thing', () => {
  fc.assert(fc.property(anyCidr, cidr => assert.deepEqual(parseCidr(cidrText(cidr)), cidr)))
})

test('what is no range is none', () => {
  for (const text of ['', '10.0.0.0', '10.0.0/8', '10.0.0.0/33', '10.0.0.0/-1', '256.0.0.0/8', '10.0.0.0/08', '010.0.0.0/8', '10.0.0.1/8', ' 10.0.0.0/8', '10.0.0.0/8 ', '::/0', '1e1.0.0.0/8', '10.0.0.0/8/8']) assert.equal(parseCidr(text), undefined, text)
  assert.equal(canonicalCidr('172.22.227.9/20'), '172.22.224.0/20')
  assert.equal(canonicalCidr('nonsense'), undefined)
  assert.throws(() => cidrOf('10.0.0.1/8'), RangeError)
})

test('ranges overlap exactly if one holds the first address of the other', () => {
  fc.assert(fc.property(anyCidr, anyCidr, (one, other) => {
    const holds = cidrContains(one, addressText(other.first)) || cidrContains(other, addressText(one.first))
    assert.equal(cidrsOverlap(one, other), holds)
  }))
})

test('addresses are counted from either end', () => {
  const cidr = cidrOf('172.30.0.0/18')
  assert.deepEqual([nthAddress(cidr, 1), nthAddress(cidr, 10), nthAddress(cidr, -1)], ['172.30.0.1', '172.30.0.10', '172.30.63.255'])
  assert.equal(cidrSize(cidr), 16_384)
  assert.equal(nthAddress(cidrOf('0.0.0.0/0'), -1), '255.255.255.255')
  assert.throws(() => nthAddress(cidr, 16_384), RangeError)
  assert.equal(cidrContains(cidr, 'no address'), false)
  assert.equal(parseAddress('1.2.3.4.5'), undefined)
})

test('a free range is inside the block, overlaps nothing, and is the first such', () => {
  const block = cidrOf('10.0.0.0/16')
  const inside = fc.record({ at: fc.nat({ max: 65_535 }), prefix: fc.integer({ min: 16, max: 30 }) }).map(({ at, prefix }) => ({ first: block.first + Math.floor(at / 2 ** (32 - prefix)) * 2 ** (32 - prefix), prefix }))
  fc.assert(fc.property(fc.array(inside, { maxLength: 6 }), fc.integer({ min: 18, max: 26 }), (taken, prefix) => {
    const size = 2 ** (32 - prefix)
    const candidates = Array.from({ length: cidrSize(block) / size }, (_, index) => ({ first: block.first + index * size, prefix }))
    assert.deepEqual(freeRange(block, prefix, taken), candidates.find(candidate => !taken.some(range => cidrsOverlap(range, candidate))))
  }))
  assert.equal(freeRange(block, 15, []), undefined)
})
