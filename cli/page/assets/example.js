/** @file An example to load: an assertion for the token endpoint in place of the issuer. Its private key is thrown away. */

export const example = {
  input:
    'eyJhbGciOiJFUzI1NiIsImtpZCI6IjIwMjYtMDEifQ.eyJpc3MiOiJleGFtcGxlLWJhbmsiLCJzdWIiOiJleGFtcGxlLWJhbmsiLCJhdWQiOiJodHRwczovL2FzLmV4YW1wbGUuY29tL3Rva2VuIiwianRpIjoiOWIwZTdmNmMtMWY1ZS00YTU5LThmMGQtNmYwYTVmMGM3YTExIiwiaWF0IjoxNzY3MjI1NjAwLCJleHAiOjE3NjcyMjU2NjB9.2w3u7ABLZOXCIvCRZ-QkUL1dnubZNYIi-0blmTRczg1Ek0KzCKKFVDsE9w-jywlyitl6AgSbtQtv0b11pWFPwA',
  issuer: 'https://as.example.com',
  record: {
    client_id: 'example-bank',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: {
      keys: [
        {
          kty: 'EC',
          x: 'RC1SRE1msOVhWZRMV8Dx3OsT6rEYF2m8Tb37TVr2MSw',
          y: 'gBlyr6kAZPiiRRm3cb5M16YVxKBA6xJzA9S8koLpcfU',
          crv: 'P-256',
          kid: '2026-01',
          use: 'sig',
          alg: 'ES256'
        }
      ]
    }
  }
}
