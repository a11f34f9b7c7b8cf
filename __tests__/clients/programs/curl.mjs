import { execFileSync } from 'node:child_process'
import { answerCases } from './support.mjs'

await answerCases(async ({ token_endpoint, client_id, client_secret, method }) => {
  const credentials =
    method === 'client_secret_basic'
      ? ['--user', `${client_id}:${client_secret}`]
      : ['--data-urlencode', `client_id=${client_id}`, '--data-urlencode', `client_secret=${client_secret}`]
  const options = ['--silent', '--show-error', '--data', 'grant_type=client_credentials', ...credentials]
  const answer = JSON.parse(execFileSync('curl', [...options, token_endpoint], { encoding: 'utf8' }))
  if (answer.error) throw new Error(answer.error_description)
  return answer.access_token
})
