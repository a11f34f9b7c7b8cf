import { printable } from '../basics/printable'
import { isSeconds, maxSeconds } from '../jwt/numeric-date'
import type { AssertionRule, PresentedAssertion } from './method'

const jwsOf = ({ credentials }: PresentedAssertion) => credentials.jws

/** A time that is a number and not in milliseconds, so that it can be compared with now. */
const isTime = (time: number | undefined): time is number => time !== undefined && isSeconds(time)

const startRule = (name: 'nbf' | 'iat', spec: string): readonly AssertionRule[] => [
  {
    check: name,
    reason: 'assertion_not_yet_valid',
    spec,
    holds: (subject) => !Number.isNaN(jwsOf(subject)[name]),
    words: () => `${name} of client_assertion must be a number of seconds.`,
    detail: (subject) => ({
      claim: name,
      expected: 'a number of seconds since the epoch',
      received: printable(jwsOf(subject).payload[name])
    })
  },
  {
    check: `${name} not in the future`,
    reason: 'assertion_not_yet_valid',
    spec,
    holds: (subject) => !(Number(jwsOf(subject)[name]) > subject.nowSeconds + subject.policy.clockTolerance),
    canJudge: (subject) => jwsOf(subject)[name] === undefined || isTime(jwsOf(subject)[name]),
    words: () => `${name} of client_assertion lies in the future.`,
    detail: (subject) => ({
      claim: name,
      expected: `at most ${subject.policy.clockTolerance} s after now`,
      received: jwsOf(subject)[name],
      now: subject.nowSeconds,
      secondsEarly: Number(jwsOf(subject)[name]) - subject.nowSeconds
    })
  }
]

/** RFC 7523 §3 items 4 to 6. `maxLifetime` is how far ahead `exp` may lie, in seconds. */
export const timeRules = (maxLifetime: (subject: PresentedAssertion) => number): readonly AssertionRule[] => [
  {
    check: 'exp',
    reason: 'assertion_exp',
    spec: 'RFC 7523 §3 item 4',
    holds: (subject) => Number.isFinite(jwsOf(subject).exp),
    detail: (subject) => ({
      expected: 'a number of seconds since the epoch',
      received: printable(jwsOf(subject).payload.exp)
    })
  },
  {
    check: 'times in seconds',
    reason: 'assertion_milliseconds',
    spec: 'RFC 7519 §2',
    holds: (subject) => millisecondsClaim(subject) === undefined,
    detail: (subject) => {
      const claim = millisecondsClaim(subject) ?? 'exp'
      return { claim, expected: 'seconds since the epoch', received: jwsOf(subject)[claim], now: subject.nowSeconds }
    }
  },
  {
    check: 'exp not past',
    reason: 'assertion_expired',
    spec: 'RFC 7523 §3 item 4',
    holds: (subject) => !(Number(jwsOf(subject).exp) <= subject.nowSeconds - subject.policy.clockTolerance),
    canJudge: (subject) => isTime(jwsOf(subject).exp),
    detail: (subject) => ({
      expected: `at most ${subject.policy.clockTolerance} s before now`,
      received: jwsOf(subject).exp,
      now: subject.nowSeconds,
      secondsLate: subject.nowSeconds - Number(jwsOf(subject).exp)
    })
  },
  {
    check: 'exp not too far ahead',
    reason: 'assertion_lifetime',
    spec: 'RFC 7523 §3 item 4',
    holds: (subject) =>
      !(Number(jwsOf(subject).exp) > subject.nowSeconds + maxLifetime(subject) + subject.policy.clockTolerance),
    canJudge: (subject) => isTime(jwsOf(subject).exp) && Number.isFinite(maxLifetime(subject)),
    words: (subject) => `The exp of client_assertion may lie at most ${maxLifetime(subject)} s ahead.`,
    detail: (subject) => ({
      expected: `at most ${maxLifetime(subject)} s after now`,
      received: jwsOf(subject).exp,
      now: subject.nowSeconds,
      secondsAhead: Number(jwsOf(subject).exp) - subject.nowSeconds
    })
  },
  ...startRule('nbf', 'RFC 7523 §3 item 5'),
  ...startRule('iat', 'RFC 7523 §3 item 6')
]

function millisecondsClaim(subject: PresentedAssertion): 'exp' | 'nbf' | 'iat' | undefined {
  const { exp = 0, nbf = 0, iat = 0 } = jwsOf(subject)
  if (exp > maxSeconds) return 'exp'
  if (nbf > maxSeconds) return 'nbf'
  return iat > maxSeconds ? 'iat' : undefined
}
