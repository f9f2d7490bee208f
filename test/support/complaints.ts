import type { BrowserContext } from 'playwright-core'

/** Errors of all pages of a context, and warnings of Vue (a hydration mismatch is one). */
export function collectComplaints(context: BrowserContext): string[] {
  const complaints: string[] = []
  context.on('weberror', error => complaints.push(String(error.error())))
  context.on('console', (message) => {
    if (message.type() === 'error' || /\[Vue warn\]|\[nuxt\]|hydration/i.test(message.text()))
      complaints.push(message.text())
  })
  return complaints
}
