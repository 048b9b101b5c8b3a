// Compiles src/runtime/kernels/assembly to WebAssembly, on all cores, and embeds the modules in src/runtime/kernels/modules.ts,
// each with the types of its exports. Does nothing if modules.ts is up to date.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import asc from 'assemblyscript/asc';

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
/** Printable characters but the space, quotes, $ and \, from the most frequent in minified JavaScript to the least. */
const CHARACTERS =
  'et,rsnoai()=l.u:fc}{hpdm;g[]vw0y>1b&k+?*Sx2zA!MCO-N|IL/EFjP3B<R4TW_6DHqUKGV58QXJYZ79%@^#~';
/** How many bytes take one character. The last two of the alphabet each select a half of the others. */
const SINGLE = CHARACTERS.length - 2;
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

/**
 * The alphabet in which modules are written, and the modules in it; `bytesOf` in wasm-module.ts reads them. The most
 * frequent bytes take one character. Frequent characters are those of JavaScript, since both are compressed as one text.
 */
function written(modules) {
  const counts = countsOf(
    modules.flatMap((bytes) => [...bytes]),
    256,
  );
  const single = byCount(counts)
    .slice(0, SINGLE)
    .sort((a, b) => a - b);
  const others = [...counts.keys()].filter((byte) => !single.includes(byte));
  const placesOf = (byte) => {
    if (single.includes(byte)) return [single.indexOf(byte)];
    const other = others.indexOf(byte);
    return [SINGLE + Math.floor(other / SINGLE), other % SINGLE];
  };
  const texts = modules.map((bytes) => [...bytes].flatMap(placesOf));
  const order = byCount(countsOf(texts.flat(), CHARACTERS.length));
  const characterOf = (place) => CHARACTERS[order.indexOf(place)];
  const ofBytes = Array.from(counts, (_, byte) =>
    single.includes(byte) ? characterOf(single.indexOf(byte)) : ' ',
  );
  const alphabet = [...ofBytes, characterOf(SINGLE), characterOf(SINGLE + 1)].join('');
  return { alphabet, texts: texts.map((places) => places.map(characterOf).join('')) };
}

/** How often each number below `length` occurs. */
function countsOf(numbers, length) {
  const counts = new Array(length).fill(0);
  for (const number of numbers) counts[number]++;
  return counts;
}

/** The indices of counts, from the highest count to the lowest. */
const byCount = (counts) => [...counts.keys()].sort((a, b) => counts[b] - counts[a]);

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
    hash.update(await readFile(file)).update(file.slice(root.length));
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
  const names = Object.keys(MODULES);
  const { alphabet, texts } = written(names.map((name) => modules[name]));
  let source = `${firstLine}
/** A WebAssembly module as text in the {@link ALPHABET}, with the type of its exports. Modules import their memory. */
export type WasmModule<Exports> = string & { readonly exports?: Exports };

export const ALPHABET = '${alphabet}';
`;
  for (const [i, name] of names.entries()) {
    const [file] = MODULES[name];
    source += `\nexport const ${name} = '${texts[i]}' as WasmModule<{\n${await signatures(file)}}>;\n`;
  }
  await writeFile(`${target}.new`, source);
  await rename(`${target}.new`, target); // so that an interruption leaves no partial file
}

if (isMainThread) await main();
else parentPort.on('message', async (name) => parentPort.postMessage(await compile(...MODULES[name])));
