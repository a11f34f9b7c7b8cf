export { createTestClient, type TestClient } from './test-client'
export type {
  TestAlgorithm,
  TestAssertionOptions,
  TestClientMethod,
  TestClientOptions,
  TestClientRecord,
  TestRequest,
  TestRequestOptions,
  TestTamper,
  TestTime
} from './options'
