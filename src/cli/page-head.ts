/**
 * Begins the pages that commands write, each of which is one file: what such a page may do, and how all of them look. A page may show the pictures within it and run its own script; it
 * may fetch nothing and run no other.
 */
import { escapedMarkup } from '../picture/map/escaped-markup.js'
import { hashOf } from './document-text.js'

export interface PageHead {
  /** Is the title as text. */
  readonly title: string
  /** Is markup by which a page is told from any other file, and may be replaced by a newer one. */
  readonly mark?: string
  /** Is what the page looks like beside the base. */
  readonly style: string
  /** Is the only script that runs. */
  readonly script?: string
}

/** Are the colours, letters and plain parts of all pages. */
const BASE = `:root{color-scheme:light dark;--ground:light-dark(#f6f7f9,#14171c);--surface:light-dark(#ffffff,#1d2229);--line:light-dark(#d5dae1,#363d48);--ink:light-dark(#1a1f27,#e8ebf0);--soft:light-dark(#545e6c,#a5afbd);--accent:light-dark(#235a96,#84bdf5);font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground)}
*{box-sizing:border-box}body{overflow-wrap:anywhere}h1,h2,p{margin:0}h1{font-size:1.4rem;line-height:1.2}h2{font-size:1rem}
header p,details{color:var(--soft)}summary{min-height:2.5rem;padding:.5rem 0;cursor:pointer}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem;margin:0;font-size:.875rem}dd{margin:0;color:var(--ink)}
button{min-height:2.5rem;padding:.3rem .85rem;font:inherit;font-size:.9375rem;color:var(--ink);background:var(--surface);border:1px solid var(--line);border-radius:.5rem;cursor:pointer}button:hover{border-color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
`

/** Gives the page up to its body. */
export function pageHead({ title, mark, style, script }: PageHead): string {
  const whole = BASE + style
  const runs = script === undefined ? '' : ` script-src '${hashOf(script)}';`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${mark === undefined ? '' : `${mark}\n`}<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:;${runs} style-src '${hashOf(whole)}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>${escapedMarkup(title)}</title>
<style>${whole}</style>
</head>
`
}
