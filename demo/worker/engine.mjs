// The entry of the worker that draws, measures and compresses with trained models: the portable runtime, without tfjs.

import { serveJobs } from './serve-jobs.mjs';

serveJobs({
  sample: async () => (await import('./sampling.mjs')).drawImages,
  next: async () => (await import('./next-value.mjs')).nextValue,
  likelihood: async () => (await import('./likelihood.mjs')).measure,
  classify: async () => (await import('./likelihood.mjs')).classify,
  compress: async () => (await import('./coding.mjs')).compressImage,
  decompress: async () => (await import('./coding.mjs')).decompressImage,
  inside: async () => (await import('./inside.mjs')).lookInside,
  depends: async () => (await import('./inside.mjs')).changeEach,
  magnet: async () => (await import('./magnet.mjs')).drawMagnets,
  conformance: async () => (await import('./conformance.mjs')).compareDigests,
  png: async () => (await import('./png.mjs')).pngOf,
});
