import type { Nitro, NitroMajor } from './nitro'
import { nitro2 } from './nitro2'
import { nitro3 } from './nitro3'

/** How the Nitro that builds wants things to be done. */
export function majorOf({ meta }: Nitro): NitroMajor {
  return meta?.majorVersion === 3 ? nitro3 : nitro2
}
