import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { asPublished } from '../scripts/lib/repository.mjs';

const backends = ['cpu', 'wasm', 'webgl', 'webgpu'];

/** The folder of the library's modules. */
const library = fileURLToPath(new URL('../dist/', import.meta.url));

/** The page's links to the repository, once it has an address; and to its own picture, which others want whole: with SITE. */
const repositoryLinks = {
  name: 'repository-links',
  transformIndexHtml: (html) => asPublished(html).replace('%SITE%', process.env.SITE ?? './'),
};

/** The licences of what the page holds of others: as the packages have them, but for those that stand in the code. */
const licences = {
  name: 'licences',
  text: () =>
    Object.entries({
      OxiPNG: '@jsquash/oxipng/codec/LICENSE.codec.md',
      jSquash: '@jsquash/oxipng/LICENSE',
      uPlot: 'uplot/LICENSE',
      gifenc: 'gifenc/LICENSE.md',
    })
      .map(([name, file]) => [
        name,
        readFileSync(new URL(`../node_modules/${file}`, import.meta.url), 'utf8'),
      ])
      .map(([name, licence]) => `${name}\n${'='.repeat(name.length)}\n\n${licence.trim()}\n`)
      .join('\n\n'),
  configureServer({ middlewares }) {
    middlewares.use('/licences.txt', (_, response) => response.end(licences.text()));
  },
  generateBundle() {
    this.emitFile({ type: 'asset', fileName: 'licences.txt', source: licences.text() });
  },
};

/** What the service worker keeps from the start: the page, its own code, the runtime, and the models of the wall, which is shown first. */
const KEPT =
  /^assets\/(?!tfjs|backend-|train-worker-|loss-chart)[^/]*\.(js|css)$|^assets\/(syllables-16-|characters-small|tiles).*\.pixelcnn$/;
const serviceWorker = {
  name: 'service-worker',
  enforce: 'post',
  generateBundle(_, bundle) {
    const first = ['./', './icon.png', ...Object.keys(bundle).filter((name) => KEPT.test(name))];
    const version = createHash('sha256').update(Object.keys(bundle).sort().join()).digest('hex').slice(0, 16);
    const text = readFileSync(new URL('service-worker.js', import.meta.url), 'utf8');
    const source = text.replace('%VERSION%', version).replace('%FIRST%', JSON.stringify(first));
    this.emitFile({ type: 'asset', fileName: 'service-worker.js', source });
  },
};

/** Chunks with names of their own, so that a look at the built files tells what is what. */
const chunks = {
  codeSplitting: {
    groups: [
      { name: 'tfjs', test: /[\\/]@tensorflow[\\/]tfjs-(core|layers)[\\/]/, priority: 3 },
      // What the other backends take from the cpu backend, without the rest of it.
      { name: 'backend-shared', test: /tfjs-backend-cpu[\\/]dist[\\/]shared\.js$/, priority: 2 },
      ...backends.map((name) => ({
        name: `backend-${name}`,
        test: new RegExp(`tfjs-backend-${name}[\\\\/]`),
        priority: 1,
      })),
      { name: 'pixelcnn-layers', test: (id) => id.startsWith(library) },
      { name: 'gifenc', test: /[\\/]gifenc[\\/]/ },
      { name: 'oxipng', test: /[\\/]@jsquash[\\/]oxipng[\\/]/ },
    ],
  },
};

export default defineConfig({
  base: './', // the built files work from any folder
  plugins: [repositoryLinks, licences, serviceWorker],
  build: {
    outDir: '../out/demo',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: false,
    chunkSizeWarningLimit: 2000,
    rolldownOptions: { output: chunks },
  },
  optimizeDeps: {
    exclude: ['@jsquash/oxipng'], // finds its wasm beside itself
    // What Vite would otherwise find only when a worker asks for it, and then load the page anew.
    include: [
      ...['core', 'layers', ...backends.map((name) => `backend-${name}`)].map(
        (name) => `@tensorflow/tfjs-${name}`,
      ),
      'uplot',
    ],
  },
  worker: {
    format: 'es',
    rolldownOptions: { output: chunks },
  },
});
