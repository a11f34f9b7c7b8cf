import * as library from 'oauth-client-auth'
import fetchKeys from './fetch.cjs'

// Without top-level await, which a bundle in CommonJS cannot have
fetchKeys(library).then((told) => console.log(JSON.stringify(told)))
