/** @file The form: sends what is pasted to this machine's own server, and shows what comes back. */

import { show } from './results.js'

const byId = (id) => document.getElementById(id)
const form = byId('form')
const verdict = byId('verdict')
const report = byId('report')
const texts = ['input', 'record', 'issuer', 'at']

function say(text, className) {
  verdict.className = className
  verdict.textContent = text
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
    report.hidden = false
    show(report, view)
    say(view.verdict, view.accepted ? 'accepted' : 'refused')
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
form.addEventListener('reset', () => {
  mark()
  clear('Paste a request and press Explain.')
})

/** With --config, the server knows the issuer and its clients. */
async function settle() {
  const { issuer } = await (await fetch('settings')).json()
  if (issuer === undefined) return
  for (const element of document.querySelectorAll('[data-pasted]')) element.hidden = true
  byId('configured').textContent = `Clients and rules are those of your configuration; the issuer is ${issuer}.`
  byId('configured').hidden = false
}

void settle()
