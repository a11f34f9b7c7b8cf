import { badClient, badRequest, table } from './reason'

/** Reasons that the form of the request gives, before anything is looked up. */
export const requestReasons = table({
  body_content_type: {
    ...badRequest('The body must be application/x-www-form-urlencoded.'),
    meaning: 'The body has another content type than a form.',
    cause: 'The client sends JSON.',
    advice: 'Send the parameters as a form, with Content-Type: application/x-www-form-urlencoded.'
  },
  body_unreadable: {
    ...badRequest('The body could not be read as application/x-www-form-urlencoded.'),
    meaning: 'The body could not be read as a form.',
    cause: 'The body is compressed, broken off or JSON, or a parser in front has taken it and left no object.',
    advice:
      'Send an uncompressed form body; on the server, mount clientAuth in front of parsers that do not parse forms.'
  },
  body_too_large: {
    ...badRequest('The body is too large.', 413),
    meaning: 'The body is larger than `bodyLimit`, or has too many parameters.',
    cause: 'The client sends more than a token request needs.',
    advice: 'Send only the parameters of the request, or let the operator raise bodyLimit.',
    forSender: 'Send only the parameters of the request.'
  },
  parameter_repeated: {
    ...badRequest('A parameter is repeated.'),
    meaning: 'A parameter stands in the body more than once.',
    cause: 'A library adds client_id or client_secret that the caller has already set.',
    advice: 'Send the parameter once.'
  },
  parameter_malformed: {
    ...badRequest('A parameter is malformed.'),
    meaning: 'A parameter is too long, holds characters that it must not, or is no string.',
    cause: 'A line break at the end of a secret or id that was read from a file.',
    advice: 'Send the parameter without line breaks and control characters, and not longer than expected.',
    cases: [
      {
        when: 'client_secret holds a line break or is too long',
        applies: ({ parameter }) => parameter === 'client_secret',
        advice: 'Remove the line break at the end of the secret: it was probably read from a file with one.'
      }
    ]
  },
  authorization_repeated: {
    ...badRequest('More than one Authorization header.'),
    meaning: 'The request has more than one Authorization header.',
    cause: 'A proxy adds a header of its own.',
    advice: 'Send one Authorization header, and let no proxy add another.'
  },
  multiple_mechanisms: {
    ...badRequest('More than one client authentication mechanism in one request.'),
    meaning: 'The request holds credentials of more than one kind.',
    cause: 'A client that signs assertions sends its secret as well, or sends the secret in header and body.',
    advice: 'Send only the credentials of the registered method, and remove the others.'
  },
  client_id_conflict: {
    ...badRequest('client_id differs from the client in the Authorization header.'),
    meaning: 'The client_id in the body differs from the one in the Authorization header.',
    cause: 'Credentials of two clients are mixed in one configuration.',
    advice: 'Send the same client_id in both places, or only in the Authorization header.'
  },
  client_id_missing: {
    ...badRequest('client_secret needs client_id.'),
    meaning: 'The body holds client_secret, or the token of another issuer, but no client_id.',
    cause: 'The parameter was forgotten, or is empty.',
    advice: 'Send client_id in the body.'
  },
  assertion_type: {
    ...badRequest(
      'client_assertion needs client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer.'
    ),
    meaning: '`client_assertion_type` is missing, or is not the one for a JWT.',
    cause: 'The parameter was forgotten, or the URN is misspelt.',
    advice: 'Send client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer beside client_assertion.'
  },
  assertion_missing: {
    ...badRequest(
      'client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer needs client_assertion: send the JWT in the parameter client_assertion.'
    ),
    meaning: '`client_assertion_type` came without `client_assertion`.',
    cause: 'The JWT is sent in a parameter of another name, or is empty.',
    advice: 'Send the JWT in the parameter client_assertion.'
  },
  assertion_parameter: {
    ...badRequest(
      'assertion is no client authentication: send the JWT in the parameter client_assertion, with client_assertion_type.'
    ),
    meaning: 'The JWT came in `assertion`, which belongs to another grant.',
    cause: 'A guide for the JWT-bearer grant was followed.',
    advice: 'Send the JWT in the parameter client_assertion, together with client_assertion_type.'
  },
  no_credentials: {
    ...badClient('No client credentials in the request.'),
    meaning: 'The request holds no credentials.',
    cause: 'A proxy drops the Authorization header, or the body was not sent as a form.',
    advice: 'Send the credentials of the registered method, and check that no proxy removes the Authorization header.'
  },
  authorization_scheme: {
    ...badClient('This Authorization scheme does not authenticate a client here.'),
    meaning: 'The Authorization header has a scheme that authenticates no client.',
    cause: 'A bearer token is sent to the token endpoint.',
    advice: 'Replace the Authorization header by the credentials of the client, such as Authorization: Basic.'
  },
  basic_malformed: {
    ...badClient('The Basic credentials are malformed.'),
    meaning: 'The Basic header cannot be decoded.',
    cause: 'Id or secret are not form-encoded before base64, and hold a %.',
    advice: 'Form-encode id and secret, join them with a colon, and encode that as base64 of UTF-8.',
    cases: [
      {
        when: 'the secret ends with a line break',
        applies: ({ problem }) => String(problem).includes('a line break'),
        advice: 'Leave the line break out before base64: echo adds one, and printf does not.'
      }
    ]
  },
  basic_without_secret: {
    ...badClient('The Basic credentials hold no secret.'),
    meaning: 'The Basic header holds an empty secret.',
    cause: 'The secret is not set in the configuration of the client.',
    advice: 'Send the secret, or, as a public client, client_id in the body and no Authorization header.'
  },
  method_not_supported: {
    ...badClient('This server does not accept this client authentication method.'),
    meaning: 'The server does not accept the method that the request uses.',
    cause: 'The option `methods` or `algorithms` leaves it out.',
    advice: 'Use a method that the server announces in its metadata, or let the operator add this one to methods.',
    forSender: 'Use a method that the server announces in its metadata.'
  },
  secret_hashed: {
    ...badClient('This server does not accept client_secret_jwt.'),
    meaning: 'The client used client_secret_jwt, but the server stores hashes of secrets.',
    cause: 'With `verifySecret`, the server cannot compute the HMAC.',
    advice: 'Use private_key_jwt or client_secret_basic, and register the client for that method.',
    forSender: 'Use private_key_jwt or client_secret_basic, as agreed with the operator of the server.'
  }
})
