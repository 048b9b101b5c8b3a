import { readFile } from 'node:fs/promises';
import asc from 'assemblyscript/asc';

// JavaScript, since the compiler's types bring globals of another language with them.

/** Compiles a source in AssemblyScript that lies in src/runtime/kernels/assembly, as it were. */
export async function compileAssembly(source) {
  const entry = 'src/runtime/kernels/assembly/entry.ts';
  const flags = ['-O3', '--enable', 'simd', '--runtime', 'stub', '--importMemory', '--noExportMemory'];
  const written = new Map();
  const { error, stderr } = await asc.main([entry, ...flags, '--outFile', 'module.wasm'], {
    readFile: (name) => (name === entry ? source : readFile(name, 'utf8').catch(() => null)),
    writeFile: (name, contents) => written.set(name, contents),
    listFiles: () => [],
  });
  if (error) throw new Error(`${stderr}`);
  return new WebAssembly.Module(written.get('module.wasm'));
}
