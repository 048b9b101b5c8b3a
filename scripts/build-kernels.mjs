// Compiles src/kernels/assembly to WebAssembly and embeds the modules in src/kernels/modules.ts, each with the types of
// what it exports, on all cores. Does nothing where modules.ts was made of the same sources.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}src/kernels/assembly`;
// What the modules are made of: files of assembly/, and flags beside those of all.
const INLINED = ['--shrinkLevel', '0']; // without it, only what is called once or marked: these would be slower
const FUSED = ['--enable', 'relaxed-simd'];
const MODULES = {
  INSTRUCTIONS: ['instructions'],
  ATTENTION: ['more-instructions', '--use', 'IS_ATTENTION=1'],
  MORE_INSTRUCTIONS: ['more-instructions', '--use', 'IS_ATTENTION=0'],
  SOFTMAX: ['softmax'],
  MIXTURE_LEVELS: ['mixture-levels'],
  CAUSAL_ATTENTION: ['causal-attention', ...INLINED],
  CAUSAL_ATTENTION_BACK: ['causal-attention-back'],
  CONVOLUTION: ['convolution'],
  CORRELATION: ['correlation'],
  // Those in which most of a training step goes, with fused multiplications and additions, for engines that have these.
  // In the others, which share the same loops, it would save less time than it costs bytes.
  CONVOLUTION_FUSED: ['convolution', ...FUSED],
  CORRELATION_FUSED: ['correlation', ...FUSED],
  CROSS_ENTROPY: ['cross-entropy'],
  GATE: ['gate', '--use', 'IS_LINEAR=0'],
  GLU: ['gate', '--use', 'IS_LINEAR=1'],
  CONCAT_ELU: ['concat-elu'],
  NORMALIZED_KERNEL: ['normalized-kernel'],
  LAYER_NORM: ['layer-norm', ...INLINED],
  LOGISTIC_MIXTURE: ['logistic-mixture'],
  LSTM: ['lstm'],
  LSTM_BACK: ['lstm-back'],
  LSTM_KERNEL_BACK: ['lstm-kernel-back'],
};
const FLAGS = [
  '-O3',
  '--shrinkLevel',
  '1',
  '--converge',
  '--noAssert',
  '--noExportMemory',
  '--enable',
  'simd',
  '--runtime',
  'stub',
  '--importMemory',
];
const MAX_BYTES = 4096; // browsers before 2023 compile no more at once, outside of workers
// Sections of a start function and of data, which would be written over memory owned by tfjs's wasm backend.
const OF_DATA = [8, 11];

async function compile(file, ...flags) {
  const written = new Map();
  const path = `src/kernels/assembly/${file}.ts`;
  const { error, stderr } = await asc.main([path, ...FLAGS, ...flags, '--outFile', 'module.wasm'], {
    readFile: (name, base) => readFile(`${base}/${name}`, 'utf8').catch(() => null),
    writeFile: (name, contents) => written.set(name, contents),
    listFiles: () => [],
  });
  if (error) {
    console.error(`${stderr}`);
    throw error;
  }
  const bytes = written.get('module.wasm');
  if (bytes.length > MAX_BYTES)
    throw new Error(`${path}: ${bytes.length} bytes, at most ${MAX_BYTES} are wanted`);
  const bad = sections(bytes).find((id) => OF_DATA.includes(id));
  if (bad !== undefined) throw new Error(`${path}: has a section ${bad}`);
  return asText(bytes);
}

/**
 * Bytes as printable characters, see `bytesOf` in wasm-module.ts: one for most of them, two for others. Compressed, as
 * packages and pages are sent, that is a tenth smaller than hexadecimal, and a third smaller than base64, which hides
 * bytes that repeat.
 */
function asText(bytes) {
  return Array.from(bytes, (byte) => {
    const place = (byte + 3) % 256;
    const page = Math.floor(place / 90);
    return (page > 0 ? String.fromCharCode(124 + page) : '') + String.fromCharCode(35 + (place % 90));
  }).join('');
}

/** The ids of a module's sections. */
function sections(bytes) {
  const ids = [];
  for (let at = 8; at < bytes.length; ) {
    ids.push(bytes[at++]);
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      size |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    at += size;
  }
  return ids;
}

/** What a file of assembly/ exports, as the members of a type: `gate(y: number, x: number): void;`. */
async function signatures(file) {
  const text = await readFile(`${folder}/${file}.ts`, 'utf8');
  const functions = text.matchAll(/^export function (\w+)\(([^)]*)\): (\w+)/gm);
  return Array.from(functions, ([, name, parameters, result]) => {
    const typed = parameters.replaceAll(/: \w+/g, ': number').replaceAll(/\s+/g, ' ').trim();
    return `  ${name}(${typed}): ${result === 'void' ? 'void' : 'number'};\n`;
  }).join('');
}

/** A digest of all that modules.ts is made of: the sources, this script, and the compiler. */
async function digestOfSources() {
  const names = (await readdir(folder)).sort().map((name) => `${folder}/${name}`);
  names.push(`${root}src/kernels/limits.ts`);
  const hash = createHash('sha256').update(asc.version);
  for (const file of [fileURLToPath(import.meta.url), `${folder}/../encoding.ts`, ...names])
    hash.update(await readFile(file)).update(file.slice(root.length));
  return hash.digest('hex');
}

/** Compiles all modules, each in the next worker that is free. Returns them as text, by name. */
async function compileAll() {
  const names = Object.keys(MODULES);
  const waiting = [...names];
  const texts = {};
  const work = async () => {
    const worker = new Worker(new URL(import.meta.url));
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      worker.postMessage(name);
      [texts[name]] = await once(worker, 'message');
      const done = Object.keys(texts).length;
      if (done % 3 === 0 || done === names.length)
        console.log(`kernels: ${done} of ${names.length} compiled`);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, work));
  return texts;
}

async function main() {
  const target = `${root}src/kernels/modules.ts`;
  const firstLine = `// Made by scripts/build-kernels.mjs of assembly/: ${await digestOfSources()}\n`;
  const earlier = await readFile(target, 'utf8').catch(() => '');
  if (earlier.startsWith(firstLine)) return;
  const texts = await compileAll();
  let written = `${firstLine}import type { WasmModule } from './wasm-module';\n`;
  for (const [name, [file]] of Object.entries(MODULES)) {
    const text = JSON.stringify(texts[name]);
    written += `\nexport const ${name} = ${text} as WasmModule<{\n${await signatures(file)}}>;\n`;
  }
  await writeFile(`${target}.new`, written);
  await rename(`${target}.new`, target); // an interruption leaves no half of it
}

if (isMainThread) await main();
else parentPort.on('message', async (name) => parentPort.postMessage(await compile(...MODULES[name])));
