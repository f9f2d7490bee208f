interface RequestLike {
  readonly headers: Pick<Headers, 'has' | 'keys'>
}

/**
 * True inside a cached handler of h3 v2 and Nitro 3: it has the event of one visitor, but a
 * request of which only those headers are left by which the cache tells its answers apart. h3
 * replaces requests as well (`bodyLimit`, validation), and keeps all headers.
 */
export function isNarrowed(request: RequestLike, original: RequestLike): boolean {
  return request !== original && [...original.headers.keys()].some(name => !request.headers.has(name))
}
