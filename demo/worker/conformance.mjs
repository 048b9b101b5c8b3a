import * as runtime from 'pixelcnn-layers/runtime';
import { conformance, hasWebAssembly } from '../../tests/conformance/conformance.mjs';
import listURL from '../../tests/conformance/models.json?url';

/**
 * Compares what this browser computes with the digests of the list, made on another machine.
 *
 * @param {import('./protocol.mjs').ConformanceJob} job
 * @param {import('./protocol.mjs').Context} context
 */
export async function compareDigests({ withWebAssembly }, { signal, report }) {
  if (!withWebAssembly)
    globalThis.WebAssembly = undefined; // for good: such a worker has no other jobs
  else if (!hasWebAssembly()) return { count: 0, different: [], seconds: 0 };
  const entries = await (await fetch(listURL, { signal })).json();
  const total = entries.reduce((sum, { digests }) => sum + Object.keys(digests).length, 0);
  const start = performance.now();
  let done = 0;
  const different = await conformance(runtime, entries, async () => {
    signal.throwIfAborted();
    await report({ done: ++done, total });
  });
  const names = different.map(({ name, what }) => `${name}: ${what}`);
  return { count: done, different: names, seconds: (performance.now() - start) / 1000 };
}
