// node bundle.mjs TOOL cjs|esm FILE [external]: bundles fetch-main.mjs, with this package in it or left out of it.
import { builtinModules } from 'node:module'
import path from 'node:path'

const [tool, format, file, kind] = process.argv.slice(2)
const entry = path.resolve('fetch-main.mjs')
const output = path.resolve(file)
const isEsm = format === 'esm'
const external = kind === 'external' ? ['oauth-client-auth'] : []

const tools = {
  async esbuild() {
    const { build } = await import('esbuild')
    // What CommonJS in a bundle of ES modules needs
    const js = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)"
    const banner = isEsm ? { js } : {}
    await build({ entryPoints: [entry], bundle: true, platform: 'node', format, outfile: output, external, banner })
  },
  async webpack() {
    const { default: webpack } = await import('webpack')
    const compiler = webpack({
      entry,
      target: 'node20',
      mode: 'production',
      optimization: { minimize: false }, // shorter names take most of the time, and decide nothing here
      experiments: { outputModule: isEsm },
      output: { path: path.dirname(output), filename: path.basename(output), module: isEsm },
      externals: Object.fromEntries(external.map((name) => [name, `${isEsm ? 'module' : 'commonjs'} ${name}`]))
    })
    const stats = await new Promise((done, fail) => compiler.run((error, made) => (error ? fail(error) : done(made))))
    if (stats.hasErrors()) throw new Error(stats.toString())
  },
  async rollup() {
    const { rollup } = await import('rollup')
    const plugins = await Promise.all(
      ['node-resolve', 'commonjs', 'json'].map((name) => import(`@rollup/plugin-${name}`))
    )
    const [resolve, commonjs, json] = plugins
    const bundle = await rollup({
      input: entry,
      external: [...external, ...builtinModules, /^node:/],
      plugins: [resolve.default({ preferBuiltins: true }), commonjs.default(), json.default()],
      onwarn() {}
    })
    await bundle.write({ file: output, format })
    await bundle.close()
  }
}
await tools[tool]()
