// Gives Node the WebGPU of browsers: Dawn, as the npm package `webgpu` has it. tfjs looks for it when it is loaded, so this comes
// first: `node --import ./dawn.mjs program.mjs`.

import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
Object.defineProperty(globalThis, 'navigator', { value: { gpu: create([]) }, configurable: true });
