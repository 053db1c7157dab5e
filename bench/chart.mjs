/** Draws horizontal bars as SVG, readable on light and on dark ground. */

const ROW = 26
const LABEL_WIDTH = 270
const BAR_WIDTH = 380
const WIDTH = LABEL_WIDTH + BAR_WIDTH + 90
const TOP = 44

/**
 * @param {{ title: string, bars: readonly { label: string, value: number, text: string, strong: boolean }[] }} chart
 * @returns {string}
 */
export function barChart({ title, bars }) {
  const longest = Math.max(...bars.map(({ value }) => value))
  const rows = bars.map(({ label, value, text, strong }, index) => {
    const y = TOP + index * ROW
    const width = Math.max(1, (value / longest) * BAR_WIDTH)
    const kind = strong ? ' class="strong"' : ''
    return [
      `  <text x="${LABEL_WIDTH - 8}" y="${y + 15}" text-anchor="end"${kind}>${escaped(label)}</text>`,
      `  <rect x="${LABEL_WIDTH}" y="${y + 2}" width="${width.toFixed(1)}" height="${ROW - 8}" rx="2"${kind}/>`,
      `  <text x="${(LABEL_WIDTH + width + 8).toFixed(1)}" y="${y + 15}"${kind}>${escaped(text)}</text>`,
    ].join('\n')
  })
  const height = TOP + bars.length * ROW + 8
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">
  <title>${escaped(title)}</title>
  <style>
    text { font: 13px system-ui, sans-serif; fill: #24292f }
    text.strong { font-weight: 600 }
    rect { fill: #8c959f }
    rect.strong { fill: #0969da }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      rect { fill: #6e7681 }
      rect.strong { fill: #58a6ff }
    }
  </style>
  <text x="8" y="24" class="strong">${escaped(title)}</text>
${rows.join('\n')}
</svg>
`
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
