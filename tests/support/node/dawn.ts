// WebGPU in Node: Dawn, as the npm package `webgpu` has it. Must run before tfjs is loaded.
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
Object.defineProperty(globalThis, 'navigator', { value: { gpu: create([]) }, configurable: true });
