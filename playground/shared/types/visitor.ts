export type Theme = 'light' | 'dark' | 'auto'

export interface User {
  id: string
  name: string
}
