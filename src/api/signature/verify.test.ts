import assert from 'node:assert/strict'
import { createHmac, hash } from 'node:crypto'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { canonicalQuery, parseQuery } from './canonical.ts'
import { DayKeys } from './day-keys.ts'
import { verifySignature, type SignedRequest } from './verify.ts'

const BODY = '{"Filter":{"Ids":["ccvmb0c66t101fnob3dhg"]},"PageNumber":1,"PageSize":100}'
const BODY_HASH = '2064e8c6f84929bb143fd9f6182b0111c5e2e4b917760980c7be5354a65abe48'
const SIGNED_AT = Date.UTC(2025, 0, 2, 3, 4, 5)
const SCOPE = '20250102/cn-beijing/veecp_openapi/request'
const FULL = 'content-type;host;x-content-sha256;x-date'
const SIGNATURE_A = '95fff74a9ae49cf0acbacb0be999699d96fabf3751344b798c44827b7a6aa957'
const SIGNATURE_B = '27d646d96e0676383372503931a5d3c3436f135a285c2cccd523851330baf0c4'
const SIGNATURE_C = 'd6d6647cef28cd17bee9b081dba88655015721fef8dcfc0441a45c7d61cde06d'

const dayKeys = new DayKeys()
function verifier(now = SIGNED_AT) {
  return {
    dayKeys,
    realNow: () => now,
    findAccessKey: async (id: string) => id === 'AKLTEXAMPLE' ? { accountId: '1', secret: 'secretEXAMPLE' } : undefined,
  }
}

function authorization(signature: string, signedHeaders = FULL, scope = SCOPE): string {
  return `HMAC-SHA256 Credential=AKLTEXAMPLE/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`
}

function post(changes: { headers?: Record<string, string | undefined>; body?: string; query?: string; method?: string; path?: string } = {}): SignedRequest {
  const headers = {
    host: '127.0.0.1:8080', 'x-date': '20250102T030405Z', 'x-content-sha256': BODY_HASH, 'content-type': 'application/json; charset=utf-8',
    authorization: authorization(SIGNATURE_A), ...changes.headers,
  }
  return {
    method: changes.method ?? 'POST', path: changes.path ?? '/', query: parseQuery(changes.query ?? 'Action=ListClusters&Version=2021-03-03') ?? [],
    headers, body: Buffer.from(changes.body ?? BODY),
  }
}

const caller = { accountId: '1', accessKeyId: 'AKLTEXAMPLE', region: 'cn-beijing', service: 'veecp_openapi' }

suite('a good signature', () => {
  test('of a Go client, content type signed', async () => {
    assert.deepEqual(await verifySignature(post(), verifier()), caller)
  })

  test('of a Node client, content type not signed', async () => {
    assert.deepEqual(await verifySignature(post({ headers: { authorization: authorization(SIGNATURE_B, 'host;x-content-sha256;x-date') } }), verifier()), caller)
  })

  test('of a GET call to another service, parameters in the query', async () => {
    const request = {
      method: 'GET', path: '/', query: parseQuery('Action=DescribeVpcs&PageNumber=1&PageSize=20&Version=2020-04-01&VpcIds.1=vpc-1') ?? [], body: Buffer.alloc(0),
      headers: {
        host: '127.0.0.1:8080', 'x-date': '20250102T030405Z', 'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        'x-content-sha256': hash('sha256', '', 'hex'), authorization: authorization(SIGNATURE_C, FULL, '20250102/cn-beijing/vpc/request'),
      },
    }
    assert.deepEqual(await verifySignature(request, verifier()), { ...caller, service: 'vpc' })
  })

  test('with the blanks that the documentation prints', async () => {
    const spaced = `HMAC-SHA256 Credential = AKLTEXAMPLE/${SCOPE},SignedHeaders = ${FULL} ,  Signature =  ${SIGNATURE_A}`
    assert.deepEqual(await verifySignature(post({ headers: { authorization: spaced } }), verifier()), caller)
  })

  test('holds for 900 s either way and not a second longer', async () => {
    for (const off of [-900, 900]) assert.deepEqual(await verifySignature(post(), verifier(SIGNED_AT + off * 1000)), caller)
    for (const off of [-901, 901]) await assert.rejects(verifySignature(post(), verifier(SIGNED_AT + off * 1000)), { wireCode: 'InvalidTimestamp', httpStatus: 400 })
  })

  test('in the query of a GET, also without any signed header', async () => {
    for (const signedHeaders of [undefined, 'host']) {
      const query = presigned('Action=ListClusters&Version=2021-03-03', signedHeaders)
      assert.deepEqual(await verifySignature(post({ method: 'GET', body: '', query, headers: { authorization: undefined } }), verifier()), caller)
    }
  })

  test('in the query holds as long as X-Expires says', async () => {
    const query = presigned('Action=ListClusters&Version=2021-03-03&X-Expires=3600', 'host')
    const request = post({ method: 'GET', body: '', query, headers: { authorization: undefined } })
    assert.deepEqual(await verifySignature(request, verifier(SIGNED_AT + 3_600_000)), caller)
    await assert.rejects(verifySignature(request, verifier(SIGNED_AT + 3_601_000)), { wireCode: 'InvalidTimestamp' })
  })
})

suite('a bad signature is refused', () => {
  const cases: Record<string, { request: SignedRequest; now?: number; code: string; status: number }> = {
    'no authentication at all': { request: post({ headers: { authorization: undefined } }), code: 'MissingAuthenticationToken', status: 401 },
    'another algorithm': { request: post({ headers: { authorization: authorization(SIGNATURE_A).replace('HMAC-SHA256', 'AWS4-HMAC-SHA256') } }), code: 'InvalidAuthorization', status: 400 },
    'parts without =': { request: post({ headers: { authorization: 'HMAC-SHA256 Credential, Signature' } }), code: 'InvalidAuthorization', status: 400 },
    'an empty Authorization': { request: post({ headers: { authorization: '' } }), code: 'InvalidAuthorization', status: 400 },
    'no signature': { request: post({ headers: { authorization: `HMAC-SHA256 Credential=AKLTEXAMPLE/${SCOPE}, SignedHeaders=${FULL}` } }), code: 'MissingSignature', status: 401 },
    'no credential': { request: post({ headers: { authorization: `HMAC-SHA256 SignedHeaders=${FULL}, Signature=${SIGNATURE_A}` } }), code: 'MissingRequestInfo', status: 400 },
    'a credential of four parts': { request: post({ headers: { authorization: authorization(SIGNATURE_A, FULL, '20250102/cn-beijing/request') } }), code: 'InvalidCredential', status: 400 },
    'a credential of six parts': { request: post({ headers: { authorization: authorization(SIGNATURE_A, FULL, `${SCOPE}/request`) } }), code: 'InvalidCredential', status: 400 },
    'a credential that ends otherwise': { request: post({ headers: { authorization: authorization(SIGNATURE_A, FULL, '20250102/cn-beijing/veecp_openapi/aws4_request') } }), code: 'InvalidCredential', status: 400 },
    'no signed header': { request: post({ headers: { authorization: authorization(SIGNATURE_A, '') } }), code: 'InvalidAuthorization', status: 400 },
    'fewer signed headers than were signed': { request: post({ headers: { authorization: authorization(SIGNATURE_A, 'content-type;x-content-sha256;x-date') } }), code: 'SignatureDoesNotMatch', status: 401 },
    'x-date not signed': { request: post({ headers: { authorization: authorization(SIGNATURE_A, 'content-type;host') } }), code: 'InvalidAuthorization', status: 400 },
    'no X-Date': { request: post({ headers: { 'x-date': undefined } }), code: 'MissingRequestInfo', status: 400 },
    'an X-Date of another form': { request: post({ headers: { 'x-date': '2025-01-02T03:04:05Z' } }), code: 'MissingRequestInfo', status: 400 },
    'an X-Date of another day than the credential': { request: post({ headers: { 'x-date': '20250103T030405Z' } }), code: 'InvalidCredential', status: 400 },
    'an old request': { request: post(), now: SIGNED_AT + 3_600_000, code: 'InvalidTimestamp', status: 400 },
    'a request from the future': { request: post(), now: SIGNED_AT - 3_600_000, code: 'InvalidTimestamp', status: 400 },
    'an unsigned X-Expires that would stretch the window': { request: post({ headers: { 'x-expires': '86400' } }), now: SIGNED_AT + 3_600_000, code: 'InvalidTimestamp', status: 400 },
    'an unknown key': { request: post({ headers: { authorization: authorization(SIGNATURE_A).replace('AKLTEXAMPLE', 'AKLTOTHER') } }), code: 'InvalidAccessKey', status: 401 },
    'a changed body': { request: post({ body: BODY.replace('100', '10') }), code: 'SignatureDoesNotMatch', status: 401 },
    'a changed body with its right hash': { request: post({ body: '{}', headers: { 'x-content-sha256': hash('sha256', '{}', 'hex') } }), code: 'SignatureDoesNotMatch', status: 401 },
    'a changed query': { request: post({ query: 'Action=DeleteCluster&Version=2021-03-03' }), code: 'SignatureDoesNotMatch', status: 401 },
    'a parameter more in the query': { request: post({ query: 'Action=ListClusters&Version=2021-03-03&A=1' }), code: 'SignatureDoesNotMatch', status: 401 },
    'another host': { request: post({ headers: { host: '127.0.0.1:8081' } }), code: 'SignatureDoesNotMatch', status: 401 },
    'a signed header gone': { request: post({ headers: { 'content-type': undefined } }), code: 'SignatureDoesNotMatch', status: 401 },
    'another region than the one signed': { request: post({ headers: { authorization: authorization(SIGNATURE_A, FULL, SCOPE.replace('cn-beijing', 'cn-shanghai')) } }), code: 'SignatureDoesNotMatch', status: 401 },
    'another service than the one signed': { request: post({ headers: { authorization: authorization(SIGNATURE_A, FULL, SCOPE.replace('veecp_openapi', 'vke')) } }), code: 'SignatureDoesNotMatch', status: 401 },
    'a shorter signature': { request: post({ headers: { authorization: authorization(SIGNATURE_A.slice(0, 20)) } }), code: 'SignatureDoesNotMatch', status: 401 },
    'a signature that is no hex': { request: post({ headers: { authorization: authorization('ä'.repeat(64)) } }), code: 'SignatureDoesNotMatch', status: 401 },
    'a signed query on a POST, whose body it would not cover': {
      request: post({ query: presigned('Action=CreateCluster&Version=2021-03-03', 'host', 'POST'), headers: { authorization: undefined } }), code: 'InvalidAuthorization', status: 400,
    },
    'a changed signed query': {
      request: post({ method: 'GET', body: '', query: presigned('Action=ListClusters&Version=2021-03-03', 'host').replace('ListClusters', 'ListEdgeNodes'), headers: { authorization: undefined } }),
      code: 'SignatureDoesNotMatch', status: 401,
    },
  }
  for (const [name, { request, now, code, status }] of Object.entries(cases)) {
    test(name, async () => {
      await assert.rejects(verifySignature(request, verifier(now)), { kind: 'Refusal', wireCode: code, httpStatus: status })
    })
  }

  test('whichever character of it is changed', async () => {
    await fc.assert(fc.asyncProperty(fc.nat(63), fc.constantFrom('0', '3', '7', 'a', 'f'), async (position, digit) => {
      const changed = SIGNATURE_A.slice(0, position) + digit + SIGNATURE_A.slice(position + 1)
      fc.pre(changed !== SIGNATURE_A)
      await assert.rejects(verifySignature(post({ headers: { authorization: authorization(changed) } }), verifier()), { wireCode: 'SignatureDoesNotMatch' })
    }), { numRuns: 50 })
  })
})

test('a query survives decoding and encoding, sorted', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary', minLength: 1 }), fc.string({ unit: 'binary' }))), pairs => {
    const wellFormed = pairs.filter(([name, value]) => name.isWellFormed() && value.isWellFormed())
    const once = canonicalQuery(wellFormed)
    assert.equal(canonicalQuery(parseQuery(once) ?? []), once)
  }))
})

test('keys of past days do not pile up', () => {
  const keys = new DayKeys()
  for (let day = 0; day < 10_500; day++) keys.find('secret', String(day), 'r', 's')
  assert.equal(keys.size, 10_000)
})

/** A query signed by a small signer of the test's own. */
function presigned(query: string, signedHeaders: string | undefined, method = 'GET'): string {
  const unsigned = [query, 'X-Algorithm=HMAC-SHA256', `X-Credential=${encodeURIComponent(`AKLTEXAMPLE/${SCOPE}`)}`, 'X-Date=20250102T030405Z', ...signedHeaders ? [`X-SignedHeaders=${signedHeaders}`] : []]
  const canonical = unsigned.flatMap(part => part.split('&')).toSorted((a, b) => a.split('=')[0]! < b.split('=')[0]! ? -1 : 1).join('&')
  const request = [method, '/', canonical, signedHeaders ? 'host:127.0.0.1:8080\n' : '\n', signedHeaders ?? '', hash('sha256', '', 'hex')].join('\n')
  const toSign = ['HMAC-SHA256', '20250102T030405Z', SCOPE, hash('sha256', request, 'hex')].join('\n')
  const key = ['20250102', 'cn-beijing', 'veecp_openapi', 'request'].reduce<string | Buffer>((step, text) => createHmac('sha256', step).update(text).digest(), 'secretEXAMPLE')
  return `${canonical}&X-Signature=${createHmac('sha256', key).update(toSign).digest('hex')}`
}
