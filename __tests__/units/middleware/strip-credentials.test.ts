// stripCredentials: what is left for the handlers behind.
import express, { type NextFunction, type Request, type Response } from 'express'
import { clientAuth } from '../../../lib'
import { issuer } from '../../support/assertions'
import { byKey, byPost, keyForm, only, postForm } from '../../support/three-clients'
import { post } from '../../support/token-server'

describe('stripCredentials', () => {
  type Body = URLSearchParams | FormData | Record<string, string>
  const formData = (form: Record<string, string>) => {
    const data = new FormData()
    for (const [name, value] of Object.entries(form)) data.append(name, value)
    return data
  }
  const leftIn = async (make: (form: Record<string, string>) => Body, form: Record<string, string>) => {
    const app = express()
    app.post(
      '/token',
      express.urlencoded({ extended: false }),
      (req, _res, next) => {
        req.body = make(req.body as Record<string, string>)
        next()
      },
      clientAuth({ issuer, ...only(byPost, byKey), stripCredentials: true }),
      (req, res) => {
        const body = req.body as Body
        res.json(body instanceof URLSearchParams || body instanceof FormData ? [...body.keys()] : Object.keys(body))
      }
    )
    app.use((error: Error, _req: Request, res: Response, _next: NextFunction) => res.status(500).json(error.message))
    return (await post(app, form)).body as unknown
  }

  // Threat 26: a body that is URLSearchParams, FormData or sealed
  test.each<[string, (form: Record<string, string>) => Body]>([
    ['URLSearchParams', (form) => new URLSearchParams(form)],
    ['FormData', formData],
    ['an object', (form) => ({ ...form })]
  ])('removes every credential from a body that is %s', async (_name, make) => {
    expect(await leftIn(make, { ...postForm, scope: 'a' })).toEqual(['client_id', 'scope'])
    expect(await leftIn(make, { client_id: 'key', ...keyForm() })).toEqual(['client_id'])
  })

  test('says so where a body is sealed, and hands no credential on', async () => {
    expect(await leftIn((form) => Object.seal({ ...form }), postForm)).toMatch(
      /^stripCredentials: client_secret cannot/
    )
  })
})
