import { trainingKernels } from '../kernels/webassembly';
import { provideKernels } from './wasm-kernels';

// Our own WebAssembly loops for the wasm backend. Operations take them from wasm-kernels.ts when they run, and compile
// them then. They are a quarter of all code, so no class or operation imports this file: classes are registered, and a
// bundler would keep the loops in every page. Instead, each export of the package that may run operations refers to
// this file (see `scripts/lib/own-kernels.mjs`), and a page has the loops if it imports any of these.

provideKernels(trainingKernels);

/** Returns what it is given; whatever is passed through here keeps this file in a bundle. */
export const withOwnKernels = <T>(exported: T): T => exported;
