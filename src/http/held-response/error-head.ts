import type { HeaderList } from '../headers'
import { forbidCaching } from '../caching'

/** Headers that described a body which is not sent, or what is to be done with it. */
const BODY_HEADERS = [
  'accept-ranges',
  'cache-control',
  'content-digest',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-md5',
  'content-range',
  'digest',
  'etag',
  'expires',
  'last-modified',
  'location',
  'refresh',
  'repr-digest',
  'trailer',
  'transfer-encoding',
  'x-accel-redirect',
  'x-sendfile',
]

/** Turns the headers of a response into those of the error that takes its place. */
export function describeErrorBody(headers: HeaderList, length: number): void {
  forbidCaching(headers)
  BODY_HEADERS.forEach(name => headers.delete(name))
  headers.set('content-type', 'application/json')
  headers.set('content-length', String(length))
  headers.set('cache-control', 'no-store')
}
