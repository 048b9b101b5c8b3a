// Compiles the entries of src/kernels/assembly to WebAssembly and embeds them in
// src/kernels/modules.ts, in hexadecimal: compressed, as packages and pages are sent, that is a quarter smaller than
// base64, which hides bytes that repeat. Does nothing where modules.ts was made of the same sources.

import { createHash } from 'node:crypto';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const ENTRIES = [
  'instructions',
  'lookup',
  'attention',
  'gated-resnet',
  'softmax',
  'mixture-levels',
  'causal-attention',
  'causal-attention-back',
  'convolution',
  'correlation',
  'cross-entropy',
  'gate',
  'linear-gate',
  'concat-elu',
  'normalized-kernel',
  'layer-norm',
  'logistic-mixture',
  'lstm',
  'lstm-back',
  'lstm-kernel-back',
];
// Those in which most of a training step goes, also with fused multiplications and additions, for engines that have these.
// Of the others, which share the same loops, it would save less time than it costs bytes.
const FUSED = ['convolution', 'correlation'];
// -O3 would inline what these call from several places, into more bytes than may be.
const SMALLER = ['logistic-mixture', 'lstm', 'lstm-back'];
const FLAGS = [
  '--converge',
  '--noAssert',
  '--noExportMemory',
  '--enable',
  'simd',
  '--runtime',
  'stub',
  '--importMemory',
];
const MOST_BYTES = 4096; // browsers before 2023 compile no more at once, outside of workers
// Sections of a start function and of data, which would be written over memory owned by tfjs's wasm backend.
const OF_DATA = [8, 11];

async function compile(entry, ...more) {
  const written = new Map();
  const path = `src/kernels/assembly/${entry}.ts`;
  const level = SMALLER.includes(entry) ? '-O2' : '-O3';
  const { error, stderr } = await asc.main([path, level, ...FLAGS, ...more, '--outFile', 'module.wasm'], {
    readFile: (name, base) => readFile(`${base}/${name}`, 'utf8').catch(() => null),
    writeFile: (name, contents) => written.set(name, contents),
    listFiles: () => [],
  });
  if (error) {
    console.error(`${stderr}`);
    throw error;
  }
  const bytes = written.get('module.wasm');
  if (bytes.length > MOST_BYTES)
    throw new Error(`${path}: ${bytes.length} bytes, at most ${MOST_BYTES} are wanted`);
  const bad = sections(bytes).find((id) => OF_DATA.includes(id));
  if (bad !== undefined) throw new Error(`${path}: has a section ${bad}`);
  return Buffer.from(bytes).toString('hex');
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

/** cross-entropy -> CROSS_ENTROPY */
const constantOf = (entry) => entry.replaceAll('-', '_').toUpperCase();

/** A digest of all that modules.ts is made of: the sources, this script, and the compiler. */
async function digestOfSources() {
  const folder = `${root}src/kernels/assembly`;
  const names = (await readdir(folder)).sort().map((name) => `${folder}/${name}`);
  names.push(`${root}src/kernels/limits.ts`);
  const hash = createHash('sha256').update(asc.version);
  for (const file of [fileURLToPath(import.meta.url), ...names]) hash.update(await readFile(file)).update(file.slice(root.length)); // biome-ignore format: one line
  return hash.digest('hex');
}

const target = `${root}src/kernels/modules.ts`;
const firstLine = `// Made by scripts/build-kernels.mjs of assembly/: ${await digestOfSources()}\n`;
const earlier = await readFile(target, 'utf8').catch(() => '');
if (!earlier.startsWith(firstLine)) {
  let written = firstLine;
  for (const entry of ENTRIES) {
    written += `export const ${constantOf(entry)} =\n  '${await compile(entry)}';\n`;
  }
  for (const entry of FUSED) {
    written += `export const ${constantOf(entry)}_FUSED =\n  '${await compile(entry, '--enable', 'relaxed-simd')}';\n`;
  }
  await writeFile(`${target}.new`, written);
  await rename(`${target}.new`, target); // an interruption leaves no half of it
}
