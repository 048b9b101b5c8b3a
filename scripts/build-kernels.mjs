// Compiles src/runtime/kernels/assembly to WebAssembly, on all cores, and embeds the modules in src/runtime/kernels/modules.ts,
// each with the types of its exports. Does nothing if modules.ts is up to date.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import asc from 'assemblyscript/asc';
import { writeWhole } from '../kit/runs/files.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}src/runtime/kernels/assembly`;
// The modules: a file of assembly/, and flags in addition to the common ones.
const FUSED = ['--enable', 'relaxed-simd'];
const MODULES = {
  SIMD: ['simd'],
  INSTRUCTIONS: ['instructions'],
  ATTENTION: ['more-instructions', '--use', 'IS_ATTENTION=1'],
  MORE_INSTRUCTIONS: ['more-instructions', '--use', 'IS_ATTENTION=0'],
  SOFTMAX: ['softmax'],
  MIXTURE_LEVELS: ['mixture-levels'],
  CAUSAL_ATTENTION: ['causal-attention'],
  CAUSAL_ATTENTION_BACK: ['causal-attention-back'],
  CONVOLUTION: ['convolution'],
  CORRELATION: ['correlation'],
  // Modules that take most of a training step, with fused multiplications and additions, for
  // engines that support these. Elsewhere, the time saved would not be worth the bytes.
  CONVOLUTION_FUSED: ['convolution', ...FUSED],
  CORRELATION_FUSED: ['correlation', ...FUSED],
  DEPTHWISE: ['depthwise'],
  CROSS_ENTROPY: ['cross-entropy'],
  GATE: ['gate', '--use', 'IS_LINEAR=0'],
  GLU: ['gate', '--use', 'IS_LINEAR=1'],
  CONCAT_ELU: ['concat-elu'],
  NORMALIZED_KERNEL: ['normalized-kernel'],
  LAYER_NORM: ['layer-norm'],
  LOGISTIC_MIXTURE: ['logistic-mixture'],
  ADAM: ['adam'],
  LSTM: ['lstm'],
  LSTM_BACK: ['lstm-back'],
};
const FLAGS = [
  '-O3',
  '--shrinkLevel',
  '1',
  '--converge',
  '--runPasses',
  'reorder-locals', // once more at the end, which makes modules alike and so compresses better
  '--noAssert',
  '--noExportMemory',
  '--enable',
  'simd',
  '--runtime',
  'stub',
  '--importMemory',
];
const MAX_BYTES = 4096; // browsers before 2023 compile no more synchronously, outside of workers
// Sections of a start function and of data, which would be written over memory owned by tfjs's wasm backend.
const OF_DATA = [8, 11];

const ENCODING = 'src/runtime/kernels/encoding.ts';

/** The constants of encoding.ts for AssemblyScript, in which enums take no code; in JavaScript they would. */
function enums(source) {
  const members = (pattern, form) => Array.from(source.matchAll(pattern), form).join(', ');
  const ops = members(/^ {2}'(\w+)',$/gm, ([, op]) => op);
  const words = members(/^ {2}(\w+): (\d+),$/gm, ([, word, at]) => `${word} = ${at}`);
  const [size] = source.match(/^export const INSTRUCTION_WORDS = .+$/m);
  return `export enum Op { ${ops} }\nexport enum Word { ${words} }\n${size}`;
}

async function compile(file, ...flags) {
  const written = new Map();
  const path = `src/runtime/kernels/assembly/${file}.ts`;
  const { error, stderr } = await asc.main([path, ...FLAGS, ...flags, '--outFile', 'module.wasm'], {
    readFile: async (name, base) =>
      name === ENCODING
        ? enums(await readFile(ENCODING, 'utf8'))
        : readFile(`${base}/${name}`, 'utf8').catch(() => null),
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
  return bytes;
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

/** The exports of a file of assembly/, as the members of a type: `gate(y: number, x: number): void;`. */
async function signatures(file) {
  const text = await readFile(`${folder}/${file}.ts`, 'utf8');
  const functions = text.matchAll(/^export function (\w+)\(([^)]*)\): (\w+)/gm);
  return Array.from(functions, ([, name, parameters, result]) => {
    const typed = parameters.replaceAll(/: \w+/g, ': number').replaceAll(/\s+/g, ' ').trim();
    return `  ${name}(${typed}): ${result === 'void' ? 'void' : 'number'};\n`;
  }).join('');
}

/** A digest of everything that modules.ts depends on: the sources, this script, and the compiler. */
async function digestOfSources() {
  const names = (await readdir(folder)).sort().map((name) => `${folder}/${name}`);
  names.push(`${root}src/runtime/kernels/limits.ts`);
  const hash = createHash('sha256').update(asc.version);
  for (const file of [fileURLToPath(import.meta.url), `${folder}/../encoding.ts`, ...names])
    hash.update(await readFile(file)).update(file.slice(root.length).replaceAll('\\', '/'));
  return hash.digest('hex');
}

/** Compiles all modules, each in the next worker that is free. Returns their bytes, by name. */
async function compileAll() {
  const names = Object.keys(MODULES);
  const waiting = [...names];
  const modules = {};
  const work = async () => {
    const worker = new Worker(new URL(import.meta.url));
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      worker.postMessage(name);
      [modules[name]] = await once(worker, 'message');
      const done = Object.keys(modules).length;
      if (done % 3 === 0 || done === names.length)
        console.log(`kernels: ${done} of ${names.length} compiled`);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, work));
  return modules;
}

async function main() {
  const target = `${root}src/runtime/kernels/modules.ts`;
  const firstLine = `// Made by scripts/build-kernels.mjs of assembly/: ${await digestOfSources()}\n`;
  const earlier = await readFile(target, 'utf8').catch(() => '');
  if (earlier.startsWith(firstLine)) return;
  const modules = await compileAll();
  let source = `${firstLine}
/** The text of a WebAssembly module, see wasm-module.ts, with the type of its exports. Modules import their memory. */
export type WasmModule<Exports> = string & { readonly exports?: Exports };
`;
  for (const [name, [file]] of Object.entries(MODULES)) {
    const text = Array.from(
      modules[name],
      (byte) => '!'.repeat(byte / 86) + String.fromCharCode(40 + (byte % 86)),
    ).join('');
    source += `\nexport const ${name} = ${JSON.stringify(text)} as WasmModule<{\n${await signatures(file)}}>;\n`;
  }
  await writeWhole(target, source);
}

if (isMainThread) await main();
else parentPort.on('message', async (name) => parentPort.postMessage(await compile(...MODULES[name])));
