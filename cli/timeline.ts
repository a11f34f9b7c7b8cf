import { draw, type Times } from './times'

const width = 64
const column = (at: number): number => Math.min(width - 1, Math.max(0, Math.floor(at * width)))

/** Puts each label on the first row that has room for it. */
function labelRows(labels: readonly { readonly name: string; readonly start: number }[]): string[] {
  const rows: string[] = []
  for (const { name, start } of labels) {
    const found = rows.findIndex((row) => row.length < start || row === '')
    const index = found < 0 ? rows.length : found
    rows[index] = (rows[index] ?? '').padEnd(start) + name
  }
  return rows.reverse()
}

/**
 * Draws the times of an assertion in characters: `═` where it is valid, `┄` where only the leeway accepts it, `┃` each
 * claim and `▲` now.
 */
export function timeline(times: Times): string[] {
  const { points, valid, leeway } = draw(times)
  const line = Array.from({ length: width }, () => '─')
  const fill = (range: { from: number; to: number } | undefined, mark: string): void => {
    if (range !== undefined) line.fill(mark, column(range.from), column(range.to) + 1)
  }
  fill(leeway, '┄')
  fill(valid, '═')
  for (const { name, at } of points) if (name !== 'now') line[column(at)] = '┃'
  for (const { name, at } of points) if (name === 'now') line[column(at)] = '▲'
  const labels = points.map(({ name, at }) => ({ name, start: Math.min(column(at), width - name.length) }))
  return [...labelRows(labels), line.join('')]
}
