/** A piece of a session cookie's value, for people to look at. */
export interface TokenPart {
  kind: 'mark' | 'id' | 'nonce' | 'sealed' | 'payload' | 'dot' | 'signature'
  text: string
  label?: string
  note?: string
}

export function splitToken(token: string): TokenPart[] {
  if (token.startsWith('s:'))
    return splitSignedId(token)
  return token.includes('.') ? splitSignedPayload(token) : splitSealedPayload(token)
}

function splitSignedId(token: string): TokenPart[] {
  const dot = token.lastIndexOf('.')
  return [
    { kind: 'mark', text: 's:', label: 'Mark', note: 'A signed value follows.' },
    { kind: 'id', text: token.slice(2, dot), label: 'Id', note: '144 random bits. The record is stored under their SHA-256.' },
    { kind: 'dot', text: '.' },
    { kind: 'signature', text: token.slice(dot + 1), label: 'Signature', note: 'HMAC-SHA256. Without the secret nobody can write another id.' },
  ]
}

function splitSealedPayload(token: string): TokenPart[] {
  return [
    { kind: 'nonce', text: token.slice(0, 16), label: 'Nonce', note: '12 random bytes, new with every change.' },
    { kind: 'sealed', text: token.slice(16), label: 'Sealed', note: 'The whole session, encrypted and authenticated with AES-256-GCM.' },
  ]
}

function splitSignedPayload(token: string): TokenPart[] {
  const dot = token.indexOf('.')
  return [
    { kind: 'payload', text: token.slice(0, dot), label: 'Payload', note: 'The whole session as base64url JSON. Anyone can read it.' },
    { kind: 'dot', text: '.' },
    { kind: 'signature', text: token.slice(dot + 1), label: 'Signature', note: 'HMAC-SHA256. Nobody can change the payload unnoticed.' },
  ]
}
