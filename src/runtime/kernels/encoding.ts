// How instructions are encoded. scripts/build-kernels.mjs makes enums of the lists for the AssemblyScript of assembly/.

/**
 * The operations of instructions, numbered from 0, which compute y from a and b for each image. WebAssembly modules
 * implement the first ones, up to `gate`, and those from `lookup` on. The others, which few networks use,
 * always run in JavaScript.
 */
export const OPS = [
  'product',
  'depthwise',
  'add',
  'multiply',
  'copy',
  'relu',
  'gate',
  'maximum',
  'minimum',
  'thresholdedRelu',
  'clippedRelu',
  'hardSigmoid',
  'selu',
  'softsign',
  'softplus',
  'geluNew',
  'mish',
  'log',
  'oneHot',
  'normalize',
  'rms',
  'softmax',
  'logSoftmax',
  'levelNumber',
  'lookup',
  'concatElu',
  'glu',
  'gelu',
  'sigmoid',
  'tanh',
  'swish',
  'elu',
  'leakyRelu',
  'attend',
  'productPacked',
  'unpack',
] as const;

/**
 * The positions of the words of an instruction. An operand takes four: base, offset, stride and column stride, in this
 * order. All are 32-bit integers except the parameter, a float64 that takes two words.
 */
export const Word = {
  op: 0,
  y: 1,
  a: 5,
  b: 9,
  length: 13,
  columns: 14,
  weights: 15,
  weightStride: 16,
  inputs: 17,
  parameter: 18,
  rows: 20,
  c: 21,
  span: 25,
  gap: 26,
} as const;

export const INSTRUCTION_WORDS = 27;
