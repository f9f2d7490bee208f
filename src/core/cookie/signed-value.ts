import { getCrypto } from '../crypto/index'
import { isEqualConstantTime, toUtf8 } from '../encoding'

type Mac = (text: string) => string

/**
 * Signs a value as `s:value.signature`: HMAC-SHA256 in standard base64 without padding, as
 * express's cookie-signature does. Cookies of sessions have another format.
 *
 * @throws TypeError for an empty secret
 */
export function signCookie(value: string, secret: string): string {
  return sign(value, createMac(secret))
}

/**
 * The value inside a signed cookie, or `null` when no secret verifies it.
 *
 * @throws TypeError for an empty secret
 */
export function unsignCookie(signed: string, secrets: string | readonly string[]): string | null {
  return createUnsigner(secrets)(signed)
}

/**
 * {@link unsignCookie} for many cookies of the same secrets.
 *
 * @throws TypeError for an empty secret
 */
export function createUnsigner(secrets: string | readonly string[]): (signed: string) => string | null {
  const macs = [secrets].flat().map(createMac)
  return (signed) => {
    const dot = signed.lastIndexOf('.')
    if (!signed.startsWith('s:') || dot < 2)
      return null
    const value = signed.slice(2, dot)
    return macs.some(mac => isEqualConstantTime(sign(value, mac), signed)) ? value : null
  }
}

function createMac(secret: string): Mac {
  if (!secret)
    throw new TypeError('A cookie cannot be signed with an empty secret.')
  return getCrypto().hmac(toUtf8(secret), 'base64')
}

function sign(value: string, mac: Mac): string {
  return `s:${value}.${mac(value)}`
}
