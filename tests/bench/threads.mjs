// Times a step of training on wasm in a page of headless Chromium that is cross-origin isolated, where tfjs-wasm has threads and the library no
// kernels of its own, beside one thread with its own kernels and without.
//
//   npm run bench:threads -- [--steps 40] [--write]

import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { chromiumArguments, chromiumPath } from '../support/browsers/chromium.mjs';
import { esbuild } from '../support/node/esbuild.mjs';
import { listening } from '../support/node/listening.mjs';
import { benchmark } from './lib/benchmark.mjs';
import { markdownTable, spread } from './lib/report.mjs';
import { summary } from './lib/timing.mjs';

const { flags, publish } = benchmark('benchmarks', 'bench:threads', { steps: 40 });
const root = fileURLToPath(new URL('../..', import.meta.url));
const binaries = `${root}/node_modules/@tensorflow/tfjs-backend-wasm/dist/`;

/** What is switched on where, and what the docs call it. */
const WAYS = {
  'threads, tfjs’s operations': { hasThreads: true, hasKernels: true }, // which are not there then
  'one thread, own kernels': { hasThreads: false, hasKernels: true },
  'one thread, tfjs’s operations': { hasThreads: false, hasKernels: false },
};

const { outputFiles } = await esbuild.build({
  entryPoints: [fileURLToPath(new URL('lib/train-in-page.mjs', import.meta.url))],
  bundle: true,
  format: 'esm',
  write: false,
  logLevel: 'silent',
});

/** An isolated page, its program, and tfjs's binaries. */
function serve() {
  const types = { '/': 'text/html', '/page.js': 'text/javascript' };
  return listening(async ({ url }, response) => {
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    response.setHeader('Content-Type', types[url] ?? 'application/wasm');
    if (url === '/') response.end('<!doctype html>');
    else if (url === '/page.js') response.end(outputFiles[0].contents);
    else response.end(await readFile(binaries + url.slice(1)).catch(() => response.writeHead(404) && ''));
  });
}

if (chromiumPath === undefined) throw new Error('wanted Chromium: apt-get install chromium');
const server = await serve();
const browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumArguments });
const times = {}; // by network, and way
for (let round = 0; round < 3; round++) {
  for (const [name, way] of Object.entries(WAYS)) {
    const page = await browser.newPage();
    await page.goto(server.address);
    const run = async ([way, steps]) => (await import('/page.js')).train(way, steps);
    const { isIsolated, binary, kernels, steps } = await page.evaluate(run, [way, flags.steps]);
    if (!isIsolated) throw new Error('wanted an isolated page');
    const wanted = `tfjs-backend-wasm-${way.hasThreads ? 'threaded-' : ''}simd.wasm, own kernels ${way.hasKernels && !way.hasThreads}`;
    const got = `${binary}, own kernels ${kernels}`;
    if (got !== wanted) throw new Error(`${name}: wanted ${wanted}, got ${got}`);
    for (const [network, each] of Object.entries(steps)) {
      times[network] ??= Object.fromEntries(Object.keys(WAYS).map((one) => [one, []]));
      times[network][name].push(...each);
    }
    await page.close();
  }
}
await browser.close();
server.close();

const rows = Object.entries(times).map(([network, byWay]) => [network, ...Object.keys(WAYS).map((name) => spread(summary(byWay[name])))]);
const header = ['training step of 16 images, ms', ...Object.keys(WAYS)];
const text = `${markdownTable(header, rows)}\n\nMedians, with 10th and 90th percentiles, of three rounds in turn; headless Chromium, ${cpus().length} cores.`;
await publish(text);
