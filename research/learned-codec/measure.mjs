// Compresses latents [48,32,192] by the context model of an image codec, whose weights are random, and decompresses them: in Node,
// Chromium and Firefox, with and without WebAssembly, in turn with CompressAI's own coder on one thread. All must give the same
// integers and the same bytes. Needs a Python with `compressai`, Chromium and Firefox.
//
//   npm run bench:learned-codec -- --python .venv/bin/python [--rounds 3] [--write]

import { execFile, execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import '@tensorflow/tfjs-backend-cpu';
import { toPortable } from 'pixelcnn-layers';
import * as runtime from 'pixelcnn-layers/runtime';
import { readSafetensors } from 'pixelcnn-layers/weights';
import { chromium } from 'playwright';
import puppeteer from 'puppeteer-core';
import { benchmark, inTemporaryFolder } from '../../tests/bench/lib/benchmark.mjs';
import { machine } from '../../tests/bench/lib/machine.mjs';
import { tableOf } from '../../tests/bench/lib/report.mjs';
import { summary } from '../../tests/bench/lib/timing.mjs';
import { chromiumArguments, chromiumPath } from '../../tests/support/browsers/chromium.mjs';
import { listening } from '../../tests/support/node/listening.mjs';
import { channelsLast, contextModel, loadContextModel } from './context-model.mjs';

const SIZE = { height: 48, width: 32, channels: 192, levels: 256 };
const path = (name) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const { flags, publish } = benchmark('benchmarks', 'bench:learned-codec', { python: 'python3', rounds: 3 });

/** What CompressAI writes and takes, on one thread. */
function runPython(folder) {
  const sizes = ['--size', SIZE.height, SIZE.width, '--channels', SIZE.channels].map(String);
  const args = ['-B', path('research/learned-codec/context_model.py'), '--out', folder, '--time', ...sizes];
  const { compress, decompress } = JSON.parse(
    execFileSync(flags.python, args, { env: { ...process.env, OMP_NUM_THREADS: '1' }, encoding: 'utf8' }),
  );
  return { compress: 1000 * compress, decompress: 1000 * decompress };
}

/** The model, and what it codes, as CompressAI wrote them. */
async function readAll(folder) {
  const tensors = new Map(readSafetensors(await readFile(join(folder, 'context-model.safetensors'))));
  const [y, side, logP] = ['y', 'z', 'log_p'].map((name) => {
    const map = channelsLast(tensors.get(name));
    tensors.delete(name);
    return map;
  });
  const model = contextModel(SIZE);
  loadContextModel(model, tensors);
  const file = runtime.writePortable(await toPortable(model));
  model.dispose();
  const latents = { data: Int32Array.from(y.data, (value) => value + SIZE.levels / 2), shape: y.shape };
  return { file, latents, side, logP: logP.data };
}

/** Compresses and decompresses once. Runs in pages too, so it uses nothing but its arguments. */
async function code({ compress, decompress, readPortable }, file, latents, side) {
  const model = readPortable(file);
  const start = performance.now();
  const packed = await compress(model, latents, { condition: side });
  const between = performance.now();
  const { data } = await decompress(model, packed, { condition: side });
  const end = performance.now();
  if (!data.every((level, i) => level === latents.data[i])) throw new Error('not without loss');
  let digest = 0;
  for (const byte of packed) digest = (Math.imul(digest, 31) + byte) | 0;
  return { compress: between - start, decompress: end - between, digest, bytes: packed.length };
}

/** A module that gets the file and what it codes from a server, and codes it, without WebAssembly if so wished. */
const script = (address, { hasWebAssembly, runtime = `${address}runtime/index.js` }) => `
  const names = ['file', 'latents', 'side'];
  const bytes = async (name) => new Uint8Array(await (await fetch('${address}' + name)).arrayBuffer());
  const [file, latents, side] = await Promise.all(names.map(bytes));
  ${hasWebAssembly ? '' : 'delete globalThis.WebAssembly;'}
  const runtime = await import('${runtime}');
  const { height, width, channels } = ${JSON.stringify(SIZE)};
  const y = { data: new Int32Array(latents.buffer), shape: [1, height, width, channels] };
  const z = { data: new Float32Array(side.buffer), shape: [1, height / 4, width / 4, channels] };
  export const coded = (${code})(runtime, file, y, z);
`;

/** Serves the runtime, a blank page, and what is given. */
const serve = (given) =>
  listening(async ({ url }, response) => {
    if (given[url.slice(1)]) return response.end(given[url.slice(1)]);
    const isPage = url === '/';
    response.setHeader('Content-Type', isPage ? 'text/html' : 'text/javascript');
    response.end(
      isPage ? '<!doctype html><link rel="icon" href="data:,">' : await readFile(path(`dist${url}`)),
    );
  });

/** Codes in a page of a browser. */
async function inPage(browser, address, hasWebAssembly) {
  const page = await browser.newPage();
  try {
    await page.goto(address);
    const from = `data:text/javascript,${encodeURIComponent(script(address, { hasWebAssembly }))}`;
    return await page.evaluate(async (module) => await (await import(module)).coded, from);
  } finally {
    await page.close();
  }
}

/** Codes in another process of Node. */
async function inNode(address, hasWebAssembly) {
  const runtime = new URL('../../dist/runtime/index.js', import.meta.url);
  const module = script(address, { hasWebAssembly, runtime }).replace(
    'export const coded =',
    'const coded =',
  );
  const args = ['--input-type=module', '-e', `${module}\nconsole.log(JSON.stringify(await coded));`];
  return JSON.parse((await promisify(execFile)(process.execPath, args)).stdout);
}

await inTemporaryFolder(async (folder) => {
  const times = {};
  const note = (name, { compress, decompress }) => {
    times[name] ??= { compress: [], decompress: [] };
    times[name].compress.push(compress);
    times[name].decompress.push(decompress);
    console.error(`${name}: ${compress.toFixed(0)} ${decompress.toFixed(0)}`);
  };
  note('CompressAI, PyTorch', runPython(folder));
  const { file, latents, side, logP } = await readAll(folder);
  const nats = await runtime.logProb(runtime.readPortable(file), latents, {
    condition: side,
    perValue: true,
  });
  const worst = nats.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - logP[i]) / Math.max(1, Math.abs(logP[i]))),
    0,
  );
  const sums = [nats, logP].map((all) => all.reduce((sum, value) => sum - value, 0));

  const buffer = ({ data }) => Buffer.from(data.buffer);
  const server = await serve({ file, latents: buffer(latents), side: buffer(side) });
  const browsers = [
    await chromium.launch({ executablePath: chromiumPath, args: chromiumArguments }),
    await puppeteer.launch({ browser: 'firefox', headless: true, executablePath: '/usr/bin/firefox-esr' }),
  ];
  const [chrome, firefox] = browsers;
  const ways = {
    Node: (hasWebAssembly) => inNode(server.address, hasWebAssembly),
    Chromium: (hasWebAssembly) => inPage(chrome, server.address, hasWebAssembly),
    Firefox: (hasWebAssembly) => inPage(firefox, server.address, hasWebAssembly),
  };
  const digests = new Set();
  try {
    for (let round = 0; round < flags.rounds; round++) {
      if (round > 0) note('CompressAI, PyTorch', runPython(folder));
      for (const [name, way] of Object.entries(ways)) {
        for (const [by, hasWebAssembly] of Object.entries({ WebAssembly: true, JavaScript: false })) {
          const coded = await way(hasWebAssembly);
          digests.add(`${coded.bytes} bytes, ${coded.digest}`);
          note(`${name}, ${by}`, coded);
        }
      }
    }
  } finally {
    await Promise.all(browsers.map((browser) => browser.close()));
    server.close();
  }
  if (digests.size !== 1) throw new Error(`different bytes: ${[...digests]}`);
  const seconds = (all) => (summary(all).median / 1000).toFixed(1);
  const rows = Object.entries(times).map(([name, { compress, decompress }]) => ({
    '': name,
    'compress, s': seconds(compress),
    'decompress, s': seconds(decompress),
  }));
  const [own, theirs] = sums;
  await publish(
    `${tableOf(rows)}\n\n${SIZE.height}x${SIZE.width}x${SIZE.channels} latents; medians of ${flags.rounds} rounds, in turn, one thread; ${machine()}.\n` +
      `The same ${[...digests][0].split(',')[0]} everywhere. -log p is ${own.toFixed(1)} nats here, ${theirs.toFixed(1)} in PyTorch (float64); of one latent it differs by at most ${worst.toExponential(1)} of the larger of 1 and itself.`,
  );
});
