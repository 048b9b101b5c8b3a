import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { esbuild } from '../node/esbuild.mjs';

/** The runtime and its worker, which lies above it, as above the file that starts it in the package. */
export const folder = mkdtempSync(join(tmpdir(), 'pool-'));
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const source = (name: string) => fileURLToPath(new URL(`../../../src/${name}.ts`, import.meta.url));
esbuild.buildSync({
  entryPoints: { 'pool/runtime': source('runtime/index'), worker: source('runtime/worker') },
  outdir: folder,
  bundle: true,
  format: 'esm',
  platform: 'node',
  logLevel: 'error',
});

export const startWorker = () => new Worker(join(folder, 'worker.js'));

export const startBad = (onRequest: string) =>
  new Worker(
    `const { parentPort } = require('node:worker_threads');
    const post = (reply) => parentPort.postMessage(reply);
    parentPort.on('message', (request) => { ${onRequest} });`,
    { eval: true, resourceLimits: { maxOldGenerationSizeMb: 32 } },
  );

export const startBroken = () => new Worker("throw new Error('broken at once')", { eval: true });
