import type { Browser, LaunchOptions } from 'playwright-core'
import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'

const EXECUTABLE = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

/** True when the test can run; with `CI=true` a missing browser is a failure, not a reason to skip. */
export function hasChromium(): boolean {
  if (process.env.CI || existsSync(EXECUTABLE))
    return true
  console.warn('Skipped: Chromium is not installed. CHROMIUM_PATH names another one.')
  return false
}

/** How long a page may take for anything; not a claim about speed. */
const PATIENCE = 120_000

/** A headless Chromium that asks nobody but the page, and whose pages have time. A visit to a site starts no process where there is one. */
export async function launchChromium(options: LaunchOptions = {}): Promise<Browser> {
  const browser = await chromium.launch({
    ...options,
    timeout: PATIENCE,
    executablePath: EXECUTABLE,
    args: [...options.args ?? [], '--no-sandbox', '--renderer-process-limit=1', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
  browser.on('context', context => context.setDefaultTimeout(PATIENCE))
  return browser
}
