import type { HeaderList } from './headers'

/** Headers that described a body which is not sent. */
const BODY_HEADERS = ['content-length', 'content-encoding', 'content-range', 'content-disposition', 'transfer-encoding', 'accept-ranges', 'etag', 'last-modified', 'location', 'cache-control', 'trailer']

/** Turns the headers of a response into those of the error that takes its place. */
export function describeErrorBody(headers: HeaderList, length: number): void {
  BODY_HEADERS.forEach(name => headers.delete(name))
  headers.set('content-type', 'application/json')
  headers.set('content-length', String(length))
  headers.set('cache-control', 'no-store')
}
