import { h } from './dom.mjs';

/** @typedef {import('../worker/protocol.mjs').Backend} Backend */

/** Why a backend cannot run here, in words; null where it should. */
const OBSTACLES = {
  wasm: () => (typeof WebAssembly === 'object' ? null : 'no WebAssembly in this browser'),
  webgl: () => {
    if (typeof OffscreenCanvas === 'undefined') return 'no OffscreenCanvas in this browser';
    const context = new OffscreenCanvas(1, 1).getContext('webgl2');
    context?.getExtension('WEBGL_lose_context')?.loseContext(); // browsers have few of them
    return context ? null : 'no WebGL 2 in this browser';
  },
  webgpu: async () => {
    if (!navigator.gpu) return 'no WebGPU in this browser';
    const adapter = await navigator.gpu.requestAdapter().catch(() => null);
    return adapter ? null : 'no graphics card that WebGPU can use';
  },
  cpu: () => null,
};

const TITLES = {
  wasm: 'wasm: processor, WebAssembly',
  webgl: 'webgl: graphics card',
  webgpu: 'webgpu: graphics card, newer',
  cpu: 'cpu: plain JavaScript',
};

const missing = Promise.all(
  Object.entries(OBSTACLES).map(async ([name, ask]) => {
    const reason = await Promise.resolve(name)
      .then(ask)
      .catch(({ message }) => message);
    return [name, reason];
  }),
).then(Object.fromEntries);

/** Whether wasm is there but has not started: its file is missing, or the page may not run it. */
let isWasmLost = false;

/** The backend that small jobs run on: wasm, or cpu where that is missing. */
const defaultBackend = () => (OBSTACLES.wasm() === null && !isWasmLost ? 'wasm' : 'cpu');

/**
 * Runs a small job, for which no backend is chosen: where wasm does not start, once more on cpu.
 *
 * @param {import('./worker-client.mjs').Client} client
 * @param {import('../worker/protocol.mjs').Job} job
 * @param {import('./worker-client.mjs').JobOptions} [options]
 */
export async function runSmall(client, job, options) {
  const name = defaultBackend();
  try {
    return await client.run(name, job, options);
  } catch (error) {
    if (!error.isBackendLost || name === 'cpu') throw error;
    isWasmLost = true;
    options?.signal?.throwIfAborted();
    return client.run('cpu', job, options);
  }
}

/** What to say of that beside the result: nothing where all is well. */
export const fallbackWords = () =>
  isWasmLost ? ' On cpu, which is slower: wasm does not start in this browser.' : '';

/** A choice of backends; those that are missing in this browser are greyed, with the reason in words. */
export function backendSelect(properties = {}) {
  const options = Object.entries(TITLES).map(([value, text]) => h('option', { value }, text));
  const element = h('select', properties, ...options);
  element.value = defaultBackend();
  missing.then((reasons) => {
    for (const option of options) {
      const reason = reasons[option.value];
      if (reason === null) continue;
      option.disabled = true;
      option.textContent = `${option.value}: ${reason}`;
    }
    if (element.selectedOptions[0].disabled) element.value = defaultBackend();
  });
  return element;
}
