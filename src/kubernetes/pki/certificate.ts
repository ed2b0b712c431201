import { createHash, createPrivateKey, createPublicKey, generateKeyPair, randomBytes, sign, X509Certificate, type KeyObject } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { promisify } from 'node:util'
import { bits, der, integer, octets, oid, sequence, setOf, time, TRUE, utf8, valuesOf } from './der.ts'

/** Clocks of machines may be a little behind ours when they see a fresh certificate. */
const CLOCK_SKEW_MS = 10 * 60_000
const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'))
const COMMON_NAME = oid('2.5.4.3'), ORGANIZATION = oid('2.5.4.10')
const SERVER_AUTH = oid('1.3.6.1.5.5.7.3.1'), CLIENT_AUTH = oid('1.3.6.1.5.5.7.3.2')

/** A certificate and its private key (PKCS #8), both PEM. */
export interface KeyedCertificate {
  readonly cert: string
  readonly key: string
}

interface Pair { readonly privateKey: KeyObject; readonly publicKey: KeyObject }

const generate = promisify(generateKeyPair)
const newPair = (): Promise<Pair> => generate('ec', { namedCurve: 'P-256' })

/** Makes a P-256 key pair as PEM texts: PKCS #8 and SubjectPublicKeyInfo. */
export async function makeKeyPair(): Promise<{ privateKey: string; publicKey: string }> {
  const { privateKey, publicKey } = await newPair()
  return { privateKey: keyText(privateKey), publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() }
}

/** Makes a self-signed certificate authority, valid from now for the given time. */
export async function makeAuthority(commonName: string, now: number, validMs: number): Promise<KeyedCertificate> {
  const { privateKey, publicKey } = await newPair()
  const name = distinguishedName([], commonName)
  const cert = signed({
    issuer: name, subject: name, publicKey, notBefore: now - CLOCK_SKEW_MS, notAfter: now + validMs,
    extensions: [
      critical('2.5.29.19', sequence(TRUE)),
      // Digital signatures, certificates and revocation lists.
      critical('2.5.29.15', bits(Buffer.from([0x86]), 1)),
      extension('2.5.29.14', octets(keyIdentifier(publicKey))),
    ],
  }, privateKey)
  return { cert, key: keyText(privateKey) }
}

/** What a leaf certificate says; `organizations` become Kubernetes groups, the common name the user. */
export interface LeafRequest {
  readonly commonName: string
  readonly organizations?: readonly string[]
  readonly use: 'server' | 'client' | 'both'
  readonly dnsNames?: readonly string[]
  /** IPv4. */
  readonly ipAddresses?: readonly string[]
  readonly now: number
  readonly validMs: number
  /** PKCS #8 as PEM: a P-256 key that exists already and that others have pinned; otherwise a new one is made. */
  readonly key?: string
}

/** Makes a key and a certificate for it, signed by the authority. The authority is read once per call of `signer`. */
export async function signer(authority: KeyedCertificate): Promise<(request: LeafRequest) => Promise<KeyedCertificate>> {
  const certificate = new X509Certificate(authority.cert)
  const signingKey = createPrivateKey(authority.key)
  const issuer = subjectOf(certificate)
  const issuerKey = keyIdentifier(certificate.publicKey)
  return async request => {
    const { privateKey, publicKey } = request.key === undefined ? await newPair() : pairOf(request.key)
    const names = [
      ...(request.dnsNames ?? []).map(name => der(0x82, Buffer.from(name))),
      ...(request.ipAddresses ?? []).map(address => der(0x87, ipv4Bytes(address))),
    ]
    const cert = signed({
      issuer, subject: distinguishedName(request.organizations ?? [], request.commonName), publicKey,
      notBefore: request.now - CLOCK_SKEW_MS,
      notAfter: Math.min(request.now + request.validMs, certificate.validToDate.getTime()),
      extensions: [
        critical('2.5.29.19', sequence()),
        // Digital signatures and key encipherment.
        critical('2.5.29.15', bits(Buffer.from([0xa0]), 5)),
        extension('2.5.29.37', sequence(...(request.use === 'client' ? [] : [SERVER_AUTH]), ...(request.use === 'server' ? [] : [CLIENT_AUTH]))),
        extension('2.5.29.35', sequence(der(0x80, issuerKey))),
        ...(names.length > 0 ? [extension('2.5.29.17', sequence(...names))] : []),
      ],
    }, signingKey)
    return { cert, key: keyText(privateKey) }
  }
}

interface Content {
  readonly issuer: Buffer
  readonly subject: Buffer
  readonly publicKey: KeyObject
  readonly notBefore: number
  readonly notAfter: number
  readonly extensions: readonly Buffer[]
}

/** RFC 5280 4.1. Written here because a general library takes most of the processor time that a new cluster costs us. */
function signed(content: Content, signingKey: KeyObject): string {
  const toBeSigned = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(serialNumber()),
    ECDSA_WITH_SHA256,
    content.issuer,
    sequence(time(content.notBefore), time(content.notAfter)),
    content.subject,
    content.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...content.extensions)),
  )
  const text = sequence(toBeSigned, ECDSA_WITH_SHA256, bits(sign('sha256', toBeSigned, signingKey))).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${text.replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`
}

/** Positive, and never shorter than it looks. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16)
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0)
  return bytes
}

function distinguishedName(organizations: readonly string[], commonName: string): Buffer {
  const part = (type: Buffer, value: string): Buffer => setOf(sequence(type, utf8(value)))
  return sequence(...organizations.map(name => part(ORGANIZATION, name)), part(COMMON_NAME, commonName))
}

/** As it stands in the certificate: who checks a chain compares the very bytes. */
function subjectOf(certificate: X509Certificate): Buffer {
  const [whole] = valuesOf(certificate.raw)
  const [toBeSigned] = valuesOf(whole?.content ?? Buffer.alloc(0))
  // Version, serial number, algorithm, issuer and validity come first.
  const subject = valuesOf(toBeSigned?.content ?? Buffer.alloc(0))[5]
  if (subject?.tag !== 0x30) throw new Error('This certificate authority has no subject')
  return subject.whole
}

/** RFC 5280 4.2.1.2 (1): of the bits of the key alone. */
function keyIdentifier(publicKey: KeyObject): Buffer {
  const [whole] = valuesOf(publicKey.export({ type: 'spki', format: 'der' }))
  const key = valuesOf(whole?.content ?? Buffer.alloc(0))[1]
  return createHash('sha1').update(key?.content.subarray(1) ?? Buffer.alloc(0)).digest()
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), octets(value))
}

function critical(id: string, value: Buffer): Buffer {
  return sequence(oid(id), TRUE, octets(value))
}

function ipv4Bytes(address: string): Buffer {
  if (!isIPv4(address)) throw new Error(`A certificate cannot name ${address}: it is no IPv4 address`)
  return Buffer.from(address.split('.').map(Number))
}

function pairOf(pem: string): Pair {
  const privateKey = createPrivateKey(pem)
  return { privateKey, publicKey: createPublicKey(privateKey) }
}

function keyText(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}
