/** Bundlers find each file by its `new URL`. */
const URLS = {
  characters: new URL('./characters.pixelcnn', import.meta.url),
  'characters-columns': new URL('./characters-columns.pixelcnn', import.meta.url),
  'characters-small': new URL('./characters-small.pixelcnn', import.meta.url),
  'syllables-16': new URL('./syllables-16.pixelcnn', import.meta.url),
  'syllables-gated': new URL('./syllables-gated.pixelcnn', import.meta.url),
  digits: new URL('./digits.pixelcnn', import.meta.url),
  'digits-conditional': new URL('./digits-conditional.pixelcnn', import.meta.url),
  'digits-orders': new URL('./digits-orders.pixelcnn', import.meta.url),
  'digits-28': new URL('./digits-28.pixelcnn', import.meta.url),
  'digits-28-background': new URL('./digits-28-background.pixelcnn', import.meta.url),
  'binarized-mnist': new URL('./binarized-mnist.pixelcnn', import.meta.url),
  clothes: new URL('./clothes.pixelcnn', import.meta.url),
  'clothes-background': new URL('./clothes-background.pixelcnn', import.meta.url),
  emoji: new URL('./emoji.pixelcnn', import.meta.url),
  'emoji-32': new URL('./emoji-32.pixelcnn', import.meta.url),
  tiles: new URL('./tiles.pixelcnn', import.meta.url),
  'magnet-1.5': new URL('./magnet-1.5.pixelcnn', import.meta.url),
  'magnet-1.8': new URL('./magnet-1.8.pixelcnn', import.meta.url),
  'magnet-2.1': new URL('./magnet-2.1.pixelcnn', import.meta.url),
  'magnet-2.27': new URL('./magnet-2.27.pixelcnn', import.meta.url),
  'magnet-2.5': new URL('./magnet-2.5.pixelcnn', import.meta.url),
  'magnet-2.8': new URL('./magnet-2.8.pixelcnn', import.meta.url),
  'magnet-3.3': new URL('./magnet-3.3.pixelcnn', import.meta.url),
  'magnet-4': new URL('./magnet-4.pixelcnn', import.meta.url),
};

/** Each as ModelCard in index.d.ts says. */
export const models = {
  characters: { imageShape: [24, 24, 1], levels: 2, bitsPerDim: 0.192, licence: 'MIT', bytes: 619516 },
  'characters-columns': {
    imageShape: [24, 24, 1],
    levels: 2,
    bitsPerDim: 0.214,
    licence: 'MIT',
    bytes: 619548,
  },
  'characters-small': {
    imageShape: [24, 24, 1],
    levels: 2,
    bitsPerDim: 0.218,
    licence: 'MIT',
    bytes: 185028,
  },
  'syllables-16': { imageShape: [16, 16, 1], levels: 2, bitsPerDim: 0.054, licence: 'MIT', bytes: 88968 },
  'syllables-gated': { imageShape: [16, 16, 1], levels: 2, bitsPerDim: 0.101, licence: 'MIT', bytes: 59980 },
  digits: { imageShape: [8, 8, 1], levels: 17, bitsPerDim: 1.815, licence: 'MIT', bytes: 50666 },
  'digits-conditional': {
    imageShape: [8, 8, 1],
    levels: 17,
    classes: 10,
    bitsPerDim: 1.673,
    licence: 'MIT',
    bytes: 58638,
  },
  'digits-orders': { imageShape: [8, 8, 1], levels: 17, bitsPerDim: 1.733, licence: 'MIT', bytes: 201430 },
  'digits-28': {
    imageShape: [28, 28, 1],
    levels: 16,
    classes: 10,
    bitsPerDim: 0.42,
    licence: 'MIT',
    bytes: 641912,
  },
  'digits-28-background': {
    imageShape: [28, 28, 1],
    levels: 16,
    bitsPerDim: 0.53,
    licence: 'MIT',
    bytes: 6672,
  },
  'binarized-mnist': { imageShape: [28, 28, 1], levels: 2, bitsPerDim: 0.146, licence: 'MIT', bytes: 943396 },
  clothes: {
    imageShape: [28, 28, 1],
    levels: 16,
    classes: 10,
    bitsPerDim: 0.983,
    licence: 'MIT',
    bytes: 641864,
  },
  'clothes-background': {
    imageShape: [28, 28, 1],
    levels: 16,
    bitsPerDim: 1.378,
    licence: 'MIT',
    bytes: 6680,
  },
  emoji: { imageShape: [16, 16, 3], levels: 32, bitsPerDim: 1.559, licence: 'MIT', bytes: 397368 },
  'emoji-32': {
    imageShape: [32, 32, 3],
    levels: 256,
    classes: 18,
    bitsPerDim: 2.311,
    licence: 'MIT',
    bytes: 1225888,
  },
  tiles: { imageShape: [32, 32, 1], levels: 12, bitsPerDim: 0.552, licence: 'MIT', bytes: 128600 },
  'magnet-1.5': { imageShape: [10, 10, 1], levels: 2, bitsPerDim: 0.067, licence: 'MIT', bytes: 23548 },
  'magnet-1.8': { imageShape: [10, 10, 1], levels: 2, bitsPerDim: 0.149, licence: 'MIT', bytes: 23548 },
  'magnet-2.1': { imageShape: [10, 10, 1], levels: 2, bitsPerDim: 0.291, licence: 'MIT', bytes: 23548 },
  'magnet-2.27': { imageShape: [10, 10, 1], levels: 2, bitsPerDim: 0.42, licence: 'MIT', bytes: 23548 },
  'magnet-2.5': { imageShape: [10, 10, 1], levels: 2, bitsPerDim: 0.593, licence: 'MIT', bytes: 23532 },
  'magnet-2.8': { imageShape: [10, 10, 1], levels: 2, bitsPerDim: 0.746, licence: 'MIT', bytes: 23548 },
  'magnet-3.3': { imageShape: [10, 10, 1], levels: 2, bitsPerDim: 0.842, licence: 'MIT', bytes: 23548 },
  'magnet-4': { imageShape: [10, 10, 1], levels: 2, bitsPerDim: 0.899, licence: 'MIT', bytes: 23532 },
};

export function modelURL(name) {
  if (typeof name === 'string' && Object.hasOwn(URLS, name)) return new URL(URLS[name]);
  const near = Object.keys(URLS).filter((known) => known.startsWith(String(name).slice(0, 4) || '?'));
  const hint = near.length > 0 ? `: did you mean ${near.join(' or ')}?` : '';
  throw new TypeError(
    `modelURL: name: wanted ${Object.keys(URLS).join(', ')}, got ${typeof name === 'string' ? JSON.stringify(name) : typeof name}${hint}`,
  );
}
