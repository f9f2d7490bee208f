import type { Theme, User } from './visitor'

declare module 'unsession' {
  interface SessionData {
    user?: User
    theme?: Theme
    visits?: number
    wrongPasswords?: number
  }
  interface FlashMessages {
    success: string
    error: string
    info: string
  }
}
