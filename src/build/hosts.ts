import type { Nitro } from './nitro'

/** Hosts that start for a request or two: no lasting file system, no time for timers. */
const SERVERLESS = /^(?:aws-|azure|base-worker|cloudflare|deno-deploy|edgeone|edgio|firebase|netlify|service-worker|stormkit|vercel|winterjs)/

/** Hosts without Node's responses and file system. They get their environment with each request. */
const WORKER = /^(?:cloudflare|base-worker|service-worker|winterjs)/

/** Hosts that run on Node. What is not known may run anywhere. */
const NODE = /^(?:node-|iis-|aws-|azure-|firebase|heroku$|render-com$|digital-ocean$|netlify$|vercel$)/

export function isServerless(preset: string): boolean {
  return SERVERLESS.test(preset)
}

export function isWorker(preset: string): boolean {
  return WORKER.test(preset)
}

export function isNode(preset: string): boolean {
  return NODE.test(preset)
}

/** The entry of these makes the server itself; that of Nitro 3 may make one of HTTP/2. */
export function speaksHttp1Only({ meta, options }: Nitro): boolean {
  return meta?.majorVersion !== 3 && /^node-(?:server|cluster)$/.test(options.preset)
}
