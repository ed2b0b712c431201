import 'reflect-metadata'
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import * as x509 from '@peculiar/x509'
import fc from 'fast-check'
import { signer } from './certificate.ts'
import { der, integer, oid, time, valuesOf } from './der.ts'

test('what is put together is taken apart again, whatever its length', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.constantFrom(0x04, 0x0c, 0x30), fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 126, max: 130 }), fc.integer({ min: 254, max: 300 }), fc.constant(65_535))), { maxLength: 4 }), parts => {
    const contents = parts.map(([tag, length]) => ({ tag, content: Buffer.alloc(length, length) }))
    assert.deepEqual(valuesOf(Buffer.concat(contents.map(({ tag, content }) => der(tag, content)))).map(({ tag, content }) => ({ tag, content: Buffer.from(content) })), contents)
  }))
})

test('numbers stay positive, names of things are theirs, and years after 2049 have four digits', () => {
  assert.deepEqual([integer(Buffer.from([0x7f])), integer(Buffer.from([0x80]))].map(value => value.toString('hex')), ['02017f', '02020080'])
  assert.equal(oid('1.2.840.10045.4.3.2').toString('hex'), '06082a8648ce3d040302')
  assert.deepEqual([time(Date.UTC(2049, 11, 31, 23, 59, 59, 999)), time(Date.UTC(2050, 0, 1))].map(value => value.subarray(2).toString()), ['491231235959Z', '20500101000000Z'])
})

test('another program reads a certificate of ours as it was meant, under an authority of its own', async () => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const now = Date.now()
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ C: ['CN'] }, { CN: ['kubernetes'] }], keys, signingAlgorithm: algorithm, notBefore: new Date(now - 1_000), notAfter: new Date(now + 3_600_000),
    extensions: [new x509.BasicConstraintsExtension(true), await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)],
  })
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  const sign = await signer({ cert: authority.toString('pem'), key })
  const { cert } = await sign({ commonName: 'edgehold:server', organizations: ['system:masters', '运维'], use: 'both', dnsNames: ['localhost'], ipAddresses: ['10.64.3.7'], now, validMs: 7_200_000 })

  assert.ok(new X509Certificate(cert).verify(new X509Certificate(authority.toString('pem')).publicKey))
  const read = new x509.X509Certificate(cert)
  assert.deepEqual(read.subjectName.toJSON(), [{ O: ['system:masters'] }, { O: ['运维'] }, { CN: ['edgehold:server'] }])
  assert.equal(read.issuer, authority.subject)
  assert.equal(read.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId, authority.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId)
  assert.deepEqual([...read.getExtension(x509.ExtendedKeyUsageExtension)?.usages ?? []], [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth])
  assert.equal(read.getExtension(x509.KeyUsagesExtension)?.usages, x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment)
  assert.deepEqual(read.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON(), [{ type: 'dns', value: 'localhost' }, { type: 'ip', value: '10.64.3.7' }])
  assert.equal(read.notAfter.getTime(), Math.floor((now + 3_600_000) / 1000) * 1000, 'never beyond its authority')
})
