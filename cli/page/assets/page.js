/** @file The form: sends what is pasted to this machine's own server, and shows what comes back. */

import { example } from './example.js'
import { show } from './results.js'

const byId = (id) => document.getElementById(id)
const form = byId('form')
const verdict = byId('verdict')
const report = byId('report')
const texts = ['input', 'record', 'issuer', 'at']

/** The headline, and in small letters what stands behind it. */
function say(text, className, small = []) {
  verdict.className = className
  const lines = small.map((line) => {
    const element = document.createElement('p')
    element.className = 'small'
    element.textContent = line
    return element
  })
  const headline = document.createElement('p')
  headline.className = 'headline'
  headline.textContent = text
  verdict.replaceChildren(headline, ...lines)
}

/** Marks the field that cannot be read, and goes there; without one, no field is marked. */
function mark(problem) {
  for (const name of texts) {
    const isWrong = problem?.field === name
    byId(`${name}-problem`).textContent = isWrong ? problem.message : ''
    if (isWrong) byId(name).setAttribute('aria-invalid', 'true')
    else byId(name).removeAttribute('aria-invalid')
  }
  if (problem !== undefined) byId(problem.field).focus()
}

function clear(text) {
  byId('results').classList.remove('stale')
  report.hidden = true
  report.replaceChildren()
  say(text, '')
}

let latest

async function explain() {
  latest?.abort()
  latest = new AbortController()
  const pasted = { fetch: byId('fetch').checked }
  for (const name of texts) pasted[name] = byId(name).value
  say('Checking …', '')
  const response = await fetch('explain', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(pasted),
    signal: latest.signal
  })
  const view = await response.json()
  mark(view.problem)
  if (view.problem !== undefined) clear(view.problem.message)
  else if (!response.ok) clear(view.message)
  else {
    byId('results').classList.remove('stale')
    byId('empty').hidden = true
    report.hidden = false
    show(report, view)
    say(view.headline, view.state, view.small)
    // The button lies below the verdict, or, on a phone, above it
    const { top, bottom } = verdict.getBoundingClientRect()
    if (top < 0 || bottom > window.innerHeight / 2) verdict.scrollIntoView()
  }
}

function run() {
  explain().catch((error) => {
    if (error.name !== 'AbortError') clear('The program no longer answers: start it again, and open its new address.')
  })
}

form.addEventListener('submit', (event) => {
  event.preventDefault()
  run()
})
form.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) run()
})
/** A verdict on other input than the one that stands there looks like one. */
form.addEventListener('input', () => {
  if (report.hidden || byId('results').classList.contains('stale')) return
  byId('results').classList.add('stale')
  say('The form has changed: press Explain again.', '')
})
form.addEventListener('reset', () => {
  mark()
  byId('empty').hidden = false
  clear('Paste a request and press Explain.')
})

byId('example').addEventListener('click', () => {
  byId('input').value = example.input
  byId('issuer').value = example.issuer
  byId('record').value = JSON.stringify(example.record, null, 2)
  run()
})

/** With --config, the server knows the issuer and its clients. */
async function settle() {
  const { issuer } = await (await fetch('settings')).json()
  if (issuer === undefined) return
  for (const element of document.querySelectorAll('[data-pasted]')) element.hidden = true
  byId('configured').textContent = `Clients and rules are those of your configuration; the issuer is ${issuer}.`
  byId('configured').hidden = false
  byId('empty').hidden = true // its client is not one of that server
}

void settle()
