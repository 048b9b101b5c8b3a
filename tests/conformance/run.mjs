// Says which digests differ here, and fails where one does: node tests/conformance/run.mjs [--javascript], or by Bun or Deno. --javascript leaves WebAssembly out, and the pool, whose workers have it.

import { readFileSync } from 'node:fs';
import { conformance, hasWebAssembly, inPool } from './conformance.mjs';

const isJavascript = process.argv.includes('--javascript');
if (isJavascript) globalThis.WebAssembly = undefined;
const runtime = await import('pixelcnn-layers/runtime');
const entries = JSON.parse(readFileSync(new URL('models.json', import.meta.url), 'utf8'));

let count = 0;
const say = ({ name, what, digest, expected }) => {
  count += 1;
  if (digest !== expected) console.log(`${name}: ${what} ${digest}, expected ${expected}`);
};
const different = await conformance(runtime, entries, say);
if (!isJavascript) {
  const pool = runtime.createPool({ workers: 2 });
  different.push(...(await conformance(inPool(runtime, pool), entries, say)));
  await pool.dispose();
}
console.log(
  `${process.arch}, ${hasWebAssembly() ? 'WebAssembly' : 'JavaScript'}: ${count - different.length} of ${count} digests of ${entries.length} models`,
);
process.exitCode = count > 0 && different.length === 0 ? 0 : 1;
