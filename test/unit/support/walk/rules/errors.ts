import type { Call } from '../calls'
import type { WalkRequest } from '../request'
import type { World } from '../world'
import { isSessionError } from '../../../../../src/core/errors'
import { Thrown } from '../operations'

/** Every error is one that is documented, and has its reason. */
export function checkError(world: World, request: WalkRequest, call: Call, error: unknown): void {
  const code = isSessionError(error) ? error.code : error instanceof Thrown ? 'THROWN' : undefined
  request.rejections++
  // What was asked of a session that ended is lost, and so is what was changed while storage failed.
  if (code === 'EXPIRED_SESSION' || (code === 'COOKIE_ERROR' && !request.canSendCookie))
    request.expected.forget()
  if (!isExpected(world, request, call, code))
    world.violate(`\`${call.name}\` failed: ${error instanceof Error ? error.stack : String(error)}`)
}

function isExpected(world: World, request: WalkRequest, { name, generation }: Call, code: string | undefined): boolean {
  const isTooBig = name.endsWith('TooBig')
  switch (code) {
    case 'THROWN':
      return name === 'updateThrowing'
    case 'STORAGE_ERROR':
      return request.faults.size > 0
    case 'INVALID_VALUE':
      return isTooBig
    case 'CACHED_RESPONSE':
      return request.arrival.kind === 'shared'
    case 'COOKIE_ERROR':
      return !request.canSendCookie || (isTooBig && world.setting.mode === 'cookie')
    case 'INVALID_SESSION':
      return name === 'reload' || !request.isLoaded
    case 'EXPIRED_SESSION':
      return !request.isAlone || request.mayHaveExpired || request.wasReplaced || request.faults.has('after') || request.generation > generation
    default:
      return false
  }
}
