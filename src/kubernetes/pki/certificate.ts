import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
/** Clocks of machines may be a little behind ours when they see a fresh certificate. */
const CLOCK_SKEW_MS = 10 * 60_000

/** A certificate and its private key (PKCS #8), both PEM. */
export interface KeyedCertificate {
  readonly cert: string
  readonly key: string
}

/** Makes a P-256 key pair as PEM texts: PKCS #8 and SubjectPublicKeyInfo. */
export async function makeKeyPair(): Promise<{ privateKey: string; publicKey: string }> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  return { privateKey: await privateKeyPem(keys.privateKey), publicKey: x509.PemConverter.encode(await crypto.subtle.exportKey('spki', keys.publicKey), 'PUBLIC KEY') }
}

/** Makes a self-signed certificate authority, valid from now for the given time. */
export async function makeAuthority(commonName: string, now: number, validMs: number): Promise<KeyedCertificate> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [commonName] }],
    keys,
    notBefore: new Date(now - CLOCK_SKEW_MS),
    notAfter: new Date(now + validMs),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { cert: certificate.toString('pem') + '\n', key: await privateKeyPem(keys.privateKey) }
}

/** What a leaf certificate says; `organizations` become Kubernetes groups, the common name the user. */
export interface LeafRequest {
  readonly commonName: string
  readonly organizations?: readonly string[]
  readonly use: 'server' | 'client' | 'both'
  readonly dnsNames?: readonly string[]
  readonly ipAddresses?: readonly string[]
  readonly now: number
  readonly validMs: number
  /** PKCS #8 as PEM: a P-256 key that exists already and that others have pinned; otherwise a new one is made. */
  readonly key?: string
}

/** Makes a key and a certificate for it, signed by the authority. The authority's key is imported once per call of `signer`. */
export async function signer(authority: KeyedCertificate): Promise<(request: LeafRequest) => Promise<KeyedCertificate>> {
  const issuer = new x509.X509Certificate(authority.cert)
  const signingKey = await crypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(authority.key), ALGORITHM, false, ['sign'])
  return async request => {
    const keys = request.key === undefined ? await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) : await keyPairOf(request.key)
    const names = [
      ...(request.dnsNames ?? []).map(value => ({ type: 'dns' as const, value })),
      ...(request.ipAddresses ?? []).map(value => ({ type: 'ip' as const, value })),
    ]
    const uses = [
      ...(request.use === 'client' ? [] : [x509.ExtendedKeyUsage.serverAuth]),
      ...(request.use === 'server' ? [] : [x509.ExtendedKeyUsage.clientAuth]),
    ]
    const certificate = await x509.X509CertificateGenerator.create({
      subject: [...(request.organizations ?? []).map(name => ({ O: [name] })), { CN: [request.commonName] }],
      issuer: issuer.subjectName.toJSON(),
      publicKey: keys.publicKey,
      signingKey,
      notBefore: new Date(request.now - CLOCK_SKEW_MS),
      notAfter: new Date(Math.min(request.now + request.validMs, issuer.notAfter.getTime())),
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
        new x509.ExtendedKeyUsageExtension(uses),
        await x509.AuthorityKeyIdentifierExtension.create(issuer),
        ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
      ],
    })
    return { cert: certificate.toString('pem') + '\n', key: await privateKeyPem(keys.privateKey) }
  }
}

async function keyPairOf(pem: string): Promise<{ privateKey: CryptoKey; publicKey: CryptoKey }> {
  const privateKey = await crypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(pem), ALGORITHM, true, ['sign'])
  const { d: _private, key_ops: _operations, ...publicHalf } = await crypto.subtle.exportKey('jwk', privateKey)
  return { privateKey, publicKey: await crypto.subtle.importKey('jwk', publicHalf, ALGORITHM, true, ['verify']) }
}

async function privateKeyPem(key: CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY') + '\n'
}
