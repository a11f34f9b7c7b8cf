// The alias of Express 4 has the shape of Express 5 as far as the tests use it.
declare module 'express4' {
  import express from 'express'
  export default express
}
