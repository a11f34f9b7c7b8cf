// A reporter of Jest for mutation.mjs: for each suite, in which files of lib/ it called a function.
const { writeFileSync } = require('node:fs')

module.exports = class TouchedFiles {
  suites = []

  onTestResult({ path: suite }, { coverage = {} }) {
    const files = Object.values(coverage)
      .filter(({ f }) => Object.values(f).some((calls) => calls > 0))
      .map(({ path: file }) => file)
    this.suites.push({ suite, files })
  }

  onRunComplete() {
    writeFileSync(process.env.TOUCHED, JSON.stringify(this.suites))
  }
}
