/** @file Draws the times of an assertion: a row each, the span in which it is valid, the leeway, and now. */

const svgNamespace = 'http://www.w3.org/2000/svg'
const rowHeight = 40
const nameWidth = 44

function shape(name, attributes, text) {
  const element = document.createElementNS(svgNamespace, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value))
  if (text !== undefined) element.textContent = text
  return element
}

/** A band from top to bottom where a time lies between two places. */
const band = (className, { from, to }, x, height) =>
  shape('rect', { class: className, x: x(from), y: 0, width: Math.max(2, x(to) - x(from)), height })

/** The name at the left, a rail, the point on it, and beside the point where there is room, what it means. */
function row({ name, at }, index, words, x, width) {
  const y = index * rowHeight + 26
  const isLeft = x(at) < width / 2
  return [
    shape('line', { class: 'rail', x1: nameWidth, x2: width, y1: y, y2: y }),
    shape('text', { x: 0, y: y + 4 }, name),
    shape('circle', { class: name === 'now' ? 'now-point' : 'point', cx: x(at), cy: y, r: 5 }),
    shape(
      'text',
      { class: 'words', x: x(at) + (isLeft ? 10 : -10), y: y - 12, 'text-anchor': isLeft ? 'start' : 'end' },
      words
    )
  ]
}

/** Long words near an edge would run out of the drawing. They stand above the names. */
function keepInside(words, width) {
  const { x, width: length } = words.getBBox()
  const beyond = Math.max(-x, Math.min(0, width - length - x))
  if (beyond !== 0) words.setAttribute('dx', String(beyond))
}

/**
 * Draws into an svg element, as wide as it is. Text keeps its size at any width and zoom.
 *
 * @param svg - the element; what is in it is replaced
 * @param times - what the server says of the times
 */
export function draw(svg, { drawing, list, leeway }) {
  const width = svg.clientWidth
  const height = drawing.points.length * rowHeight
  const x = (at) => nameWidth + at * (width - nameWidth)
  const wordsOf = (name) => list.find((time) => time.name === name)?.words ?? ''
  const now = drawing.points.find(({ name }) => name === 'now')
  const told = list.map(({ name, date, words }) => `${name} ${date}${words === '' ? '' : `, ${words}`}`)
  svg.setAttribute('height', String(height))
  svg.setAttribute('aria-label', `The times on a line: ${told.join('; ')}. The leeway is ${leeway} s.`)
  svg.replaceChildren(
    ...(drawing.leeway === undefined ? [] : [band('leeway', drawing.leeway, x, height)]),
    ...(drawing.valid === undefined ? [] : [band('span', drawing.valid, x, height)]),
    shape('line', { class: 'now', x1: x(now.at), x2: x(now.at), y1: 0, y2: height }),
    ...drawing.points.flatMap((point, index) => row(point, index, wordsOf(point.name), x, width))
  )
  for (const words of svg.querySelectorAll('.words')) keepInside(words, width)
}
