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

const defaultBackend = () => (OBSTACLES.wasm() === null ? 'wasm' : 'cpu');

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
