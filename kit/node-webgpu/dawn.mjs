// Adds the WebGPU of browsers to Node: Dawn, from the npm package `webgpu`. tfjs looks for it when
// it is loaded, so import this first: `node --import ./dawn.mjs program.mjs`.

import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
Object.defineProperty(globalThis, 'navigator', { value: { gpu: create([]) }, configurable: true });
