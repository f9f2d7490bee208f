import { createCipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createNodeBackend } from '../../src/core/crypto/node'
import { createPureBackend } from '../../src/core/crypto/pure'

const node = createNodeBackend()
const pure = createPureBackend()

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], pair => Number.parseInt(pair, 16))
}

function hex(data: Uint8Array | undefined): string | undefined {
  return data && Buffer.from(data).toString('hex')
}

function hexOf(base64: string | undefined): string {
  return Buffer.from(base64 ?? '', 'base64').toString('hex')
}

function flipped(data: Uint8Array, index: number, bit = 0): Uint8Array {
  return data.map((byte, at) => at === index ? byte ^ 1 << bit : byte)
}

describe.each([['node:crypto', node], ['pure JavaScript', pure]] as const)('%s', (_, backend) => {
  it('works on this platform', () => {
    expect(backend).toBeDefined()
  })

  it.each([
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['616263', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ])('computes SHA-256 of FIPS 180-4 (%s)', (input, digest) => {
    expect(backend?.sha256(bytes(input))).toBe(digest)
  })

  it.each([
    ['1', '0b'.repeat(20), '4869205468657265', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
    ['2', '4a656665', '7768617420646f2079612077616e7420666f72206e6f7468696e673f', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
    ['3', 'aa'.repeat(20), 'dd'.repeat(50), '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'],
    ['6, a key longer than a block', 'aa'.repeat(131), Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First').toString('hex'), '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54'],
  ])('computes HMAC-SHA256 of RFC 4231, case %s', (_case, key, data, mac) => {
    expect(hexOf(backend?.hmac(bytes(key), 'base64')(bytes(data)))).toBe(mac)
  })

  it('gives the same HMAC when the prepared key is used again', () => {
    const mac = backend?.hmac(bytes('4a656665'), 'base64')
    expect(mac?.(bytes('61'))).toBe(mac?.(bytes('61')))
  })

  it('computes HKDF-SHA256 of RFC 5869, case 3 (no salt, no info)', () => {
    expect(hex(backend?.hkdf(bytes('0b'.repeat(22)), new Uint8Array()))).toBe('8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d')
  })

  it.each([
    ['13', '00'.repeat(32), '00'.repeat(12), '', '530f8afbc74536b9a963b4f1c4cb738b'],
    ['14', '00'.repeat(32), '00'.repeat(12), '00'.repeat(16), 'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919'],
    ['15', 'feffe9928665731c6d6a8f9467308308'.repeat(2), 'cafebabefacedbaddecaf888', 'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255', '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015adb094dac5d93471bdec1a502270e3cc6c'],
  ])('seals with AES-256-GCM as NIST test case %s', (_case, key, iv, plaintext, sealed) => {
    expect(hex(backend?.aesGcm(bytes(key)).encrypt(bytes(iv), bytes(plaintext)))).toBe(sealed)
  })

  it('opens what it sealed', () => {
    const [cipher, iv, text] = [backend?.aesGcm(randomBytes(32)), randomBytes(12), randomBytes(100)]
    expect(hex(cipher?.decrypt(iv, cipher.encrypt(iv, text)))).toBe(hex(text))
  })

  it('opens nothing that was changed in any bit, cut, or sealed with another key or nonce', () => {
    const [cipher, iv] = [backend?.aesGcm(randomBytes(32)), randomBytes(12)]
    const sealed = Uint8Array.from(cipher?.encrypt(iv, randomBytes(20)) ?? [])
    const changed = Array.from(sealed, (_byte, index) => [0, 1, 2, 3, 4, 5, 6, 7].map(bit => flipped(sealed, index, bit))).flat()
    const cut = [sealed.subarray(1), sealed.subarray(0, -1), sealed.subarray(0, 17)]
    expect([...changed, ...cut].filter(data => cipher?.decrypt(iv, data) !== undefined)).toEqual([])
    expect(cipher?.decrypt(flipped(iv, 0), sealed)).toBeUndefined()
    expect(backend?.aesGcm(randomBytes(32)).decrypt(iv, sealed)).toBeUndefined()
  })
})

describe('both backends', () => {
  const inputs = Array.from({ length: 40 }, (_, n) => [randomBytes(n * 7 + 1), randomBytes(n * 5), randomBytes(32), randomBytes(12)] as const)

  it('give identical hashes, derived keys and signatures', () => {
    for (const [key, data] of inputs) {
      expect(pure.sha256(data)).toBe(createHash('sha256').update(data).digest('hex'))
      expect(node?.sha256(data)).toBe(pure.sha256(data))
      expect(hexOf(pure.hmac(key, 'base64')(data))).toBe(createHmac('sha256', key).update(data).digest('hex'))
      expect(node?.hmac(key, 'base64')(data)).toBe(pure.hmac(key, 'base64')(data))
      expect(hex(pure.hkdf(key, data))).toBe(Buffer.from(hkdfSync('sha256', key, '', data, 32)).toString('hex'))
      expect(hex(node?.hkdf(key, data))).toBe(hex(pure.hkdf(key, data)))
    }
  })

  it('open each other\'s AES-256-GCM', () => {
    for (const [, data, key, iv] of inputs) {
      const [a, b] = [node?.aesGcm(key), pure.aesGcm(key)]
      expect(hex(b.decrypt(iv, a?.encrypt(iv, data) ?? new Uint8Array()))).toBe(hex(data))
      expect(hex(a?.decrypt(iv, b.encrypt(iv, data)))).toBe(hex(data))
    }
  })

  it('write the tag where node:crypto users expect it: at the end', () => {
    const [key, iv] = [randomBytes(32), randomBytes(12)]
    const cipher = createCipheriv('aes-256-gcm', key, iv)
    const expected = Buffer.concat([cipher.update('text'), cipher.final(), cipher.getAuthTag()])
    expect(hex(pure.aesGcm(key).encrypt(iv, Buffer.from('text')))).toBe(expected.toString('hex'))
  })
})
