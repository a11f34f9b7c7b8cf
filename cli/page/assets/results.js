/** @file Shows what the server says of a request. All of it is put in as text, never as markup. */

import { draw } from './drawing.js'

/** An element with attributes and children; strings become text. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  element.append(...children)
  return element
}

const card = (id, title, ...children) =>
  make(
    'section',
    { class: 'card', id, 'aria-labelledby': `${id}-title` },
    make('h2', { id: `${id}-title` }, title),
    ...children
  )

/** Names and values. */
const facts = (pairs) =>
  make(
    'dl',
    { class: 'facts' },
    ...pairs.flatMap(([name, value]) => [make('dt', {}, name), make('dd', { class: 'value' }, value)])
  )

const marks = { passed: '✓', failed: '✗', not_checked: '·' }
const spoken = { passed: 'passed: ', failed: 'failed: ', not_checked: 'not checked: ' }

/** The mark is drawn for the eye; the word before it is for a screen reader. */
const mark = (result) => make('span', { class: 'mark', 'aria-hidden': 'true' }, marks[result])

/** A check in a line. */
function check({ check: name, spec, result, reason }) {
  const body = make('div', {}, make('span', { class: 'unseen' }, spoken[result]), name, ' ')
  if (reason !== undefined) body.append(make('code', { class: 'reason' }, reason), ' ')
  body.append(make('span', { class: 'spec' }, spec))
  return make('li', { class: result }, mark(result), body)
}

/** The failed ones stand above with all that is known of them, so these are folded. */
function checksCard({ findings }) {
  const count = (result) => findings.filter((finding) => finding.result === result).length
  const counts = `${count('passed')} passed, ${count('failed')} failed, ${count('not_checked')} not checked`
  const list = make('ol', { class: 'checks' }, ...findings.map(check))
  return card('checks', 'All checks', make('details', {}, make('summary', {}, counts), list))
}

/** A failed check with all that is known of it. */
function failure({ check: name, spec, reason, facts: pairs, advice }, index) {
  const code = make('code', { class: 'reason' }, reason)
  const about = make(
    'p',
    { class: 'about' },
    ...(index === 0 ? [] : [name, ' · ']),
    code,
    ' · ',
    make('span', { class: 'spec' }, spec)
  )
  // The advice of the first is the headline of the page
  return make('li', {}, make('h3', {}, index === 0 ? name : (advice ?? reason)), facts(pairs), about)
}

function failuresCards({ findings }) {
  const failed = findings.filter(({ result }) => result === 'failed')
  if (failed.length === 0) return []
  return [card('failures', 'What to change', make('ol', { class: 'failures' }, ...failed.map(failure)))]
}

function aboutCard({ method, client, asOf }) {
  const pairs = [
    ['Method', method],
    ['Client', client],
    ['As of', asOf]
  ]
  return make('div', { class: 'card' }, facts(pairs))
}

/** Drawn again at each new width. The observer ends with the element. */
function timesCard(times) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  svg.setAttribute('role', 'img')
  new ResizeObserver(() => {
    draw(svg, times)
  }).observe(svg)
  const legend = make(
    'p',
    { class: 'legend' },
    make('span', { class: 'span' }, 'valid'),
    make('span', { class: 'leeway' }, `within the leeway of ${times.leeway} s`)
  )
  const list = facts(times.list.map(({ name, date, words }) => [name, words === '' ? date : `${date}, ${words}`]))
  return card('times', 'Times', svg, legend, list)
}

const part = (title, lines) => make('div', {}, make('h3', {}, title), make('pre', {}, lines.join('\n')))

const decodedCard = ({ header, claims }) =>
  card('decoded', 'Decoded', make('div', { class: 'parts' }, part('Header', header), part('Claims', claims)))

const columns = ['kid', 'kty', 'size', 'alg', 'use']

function keyRow(key) {
  const isUsable = key.fault === undefined
  return make(
    'tr',
    {},
    ...columns.map((name) => make('td', { class: `value ${name}` }, key[name])),
    make('td', { class: isUsable ? 'usable' : 'unusable' }, isUsable ? '✓ usable' : `✗ ${key.fault}`)
  )
}

/** Can be scrolled by keyboard where it is wider than the page. */
function keyTable(rows) {
  const head = [...columns, 'verdict'].map((name) => make('th', { scope: 'col' }, name))
  const table = make('table', {}, make('thead', {}, make('tr', {}, ...head)), make('tbody', {}, ...rows.map(keyRow)))
  return make('div', { class: 'scroll', role: 'region', 'aria-label': 'Table of keys', tabindex: '0' }, table)
}

function keysCard({ lines, table, advice }) {
  const steps = lines.map(({ result, name, text }) =>
    make(
      'li',
      { class: result },
      mark(result),
      make('div', {}, make('span', { class: 'unseen' }, spoken[result]), `${name}: ${text}`)
    )
  )
  const children = [make('ol', { class: 'checks steps' }, ...steps)]
  if (table !== undefined && table.rows.length > 0) children.push(keyTable(table.rows))
  if (advice !== undefined) children.push(make('p', { class: 'advice' }, advice))
  return card('keys', 'Keys', ...children)
}

/** The text may be edited before it is copied. */
function partnerCard(text) {
  const area = make('textarea', {
    id: 'partner',
    rows: String(Math.min(24, text.split('\n').length + 3)),
    spellcheck: 'false',
    'aria-labelledby': 'partner-card-title'
  })
  area.value = text
  const said = make('span', { role: 'status' })
  const button = make('button', { type: 'button', id: 'copy' }, 'Copy the text')
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(area.value)
      said.textContent = 'Copied.'
    } catch {
      area.select()
      said.textContent = 'The browser does not allow it: the text is selected, copy it by keyboard.'
    }
  })
  return card('partner-card', 'For the partner', area, make('div', { class: 'actions' }, button, said))
}

/**
 * Shows a report.
 *
 * @param container - what is in it is replaced
 * @param view - what the server says
 */
export function show(container, view) {
  container.replaceChildren(
    ...failuresCards(view),
    partnerCard(view.partner),
    aboutCard(view),
    ...(view.times === undefined ? [] : [timesCard(view.times)]),
    ...(view.assertion === undefined ? [] : [decodedCard(view.assertion)]),
    ...(view.keys === undefined ? [] : [keysCard(view.keys)]),
    checksCard(view)
  )
}
