import type { Theme, User } from './visitor'

declare module 'unsession' {
  interface SessionData {
    user?: User
    visits?: number
    theme?: Theme
  }
  interface FlashMessages {
    success: string
    error: string
    info: string
  }
}
