// Compiles src/kernels/assembly to WebAssembly and embeds it, as base64, in src/kernels/module.ts.

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const written = new Map();
const flags = ['-O3', '--enable', 'simd', '--runtime', 'stub', '--importMemory', '--outFile', 'module.wasm'];
const { error, stderr } = await asc.main(['src/kernels/assembly/index.ts', ...flags], {
  readFile: (name, base) => readFile(`${base}/${name}`, 'utf8').catch(() => null),
  writeFile: (name, contents) => written.set(name, contents),
  listFiles: () => [],
});
if (error) {
  console.error(`${stderr}`);
  throw error;
}
const base64 = Buffer.from(written.get('module.wasm')).toString('base64');
await writeFile(
  `${root}/src/kernels/module.ts`,
  `// Made by scripts/build-kernels.mjs of assembly/.\nexport const MODULE =\n  '${base64}';\n`,
);
