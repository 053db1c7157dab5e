/** Opens a file in a browser as a person does, and keeps what it asks for beside itself and what goes wrong in it. */
import type { Browser, Page } from 'playwright-core'

export interface WatchedPage {
  readonly page: Page
  /** Holds the addresses that were asked for, other than its own and pictures within it. */
  readonly asked: string[]
  /** Holds what its console says, and errors that nobody catches. */
  readonly wrong: string[]
}

export async function openWatched(browser: Browser, address: string): Promise<WatchedPage> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  const asked: string[] = []
  const wrong: string[] = []
  page.on('request', (request) => {
    if (request.url() !== address && !request.url().startsWith('data:')) asked.push(request.url())
  })
  page.on('console', (message) => wrong.push(message.text()))
  page.on('pageerror', ({ message }) => wrong.push(message))
  await page.goto(address)
  return { page, asked, wrong }
}
