// The order of suites for mutation.mjs: the fastest first, since most slips are noticed by one of them.
const { default: Sequencer } = require('@jest/test-sequencer')

module.exports = class FastestFirst extends Sequencer {
  sort(tests) {
    // Jest's own order comes with the durations of the last run.
    return super.sort(tests).toSorted((a, b) => (a.duration ?? Infinity) - (b.duration ?? Infinity))
  }
}
