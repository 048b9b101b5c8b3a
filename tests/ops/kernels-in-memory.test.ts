import { describe, expect, it } from 'vitest';
import { trainingLoops } from '../support/kernels/loops';
import { noise } from '../support/tensors';

// What kernels touch of their memory. What they compute is a law of every operation.

type Address = number;

/** A call of a kernel on operands of so many numbers each: what it reads, and what it writes. */
interface Call {
  inputs: number[];
  outputs: number[];
  scratchBytes?: number;
  run(outputs: Address[], inputs: Address[], scratch: Address): void;
}

type Sizes = readonly [number, number, number, number];

/** Calls of all kernels, for so many features; `kernels` as they are over the memory that is looked at. */
function callsOf(kernels: ReturnType<typeof trainingLoops>, size: number): [name: string, call: Call][] {
  const [images, pixels, groups, epsilon] = [2, 3, 2, 1e-3];
  const x = images * pixels * groups * size;
  const sizes: Sizes = [images, pixels, groups, size];
  const features = groups * size;
  const gates = (['gate', 'glu'] as const).flatMap((kind): [string, Call][] => [
    [kind, { inputs: [2 * x, images * 2 * features], outputs: [x], run: ([y = 0], [of = 0, c = 0]) => kernels[kind](y, of, c, ...sizes) }],
    [`${kind}Back`, { inputs: [x, 2 * x, images * 2 * features], outputs: [2 * x], run: ([dx = 0], [dy = 0, of = 0, c = 0]) => kernels[`${kind}Back`](dx, dy, of, c, ...sizes) }],
  ]); // biome-ignore format: one call a line
  const rows = x / size;
  const attention = [...sizes, size, 1, 1 / Math.sqrt(size)] as const; // of values as wide as keys, of places that see themselves
  const sums = images * groups * pixels;
  const lstms = [0, 1, 2].flatMap((path): [string, Call][] => {
    const [h, w, columns] = [2, 3, path === 0 ? 3 : 2];
    const states = 2 * h * w * features;
    const kernel = columns * features * 4 * features;
    const rest = [2, h, w, groups, size, columns, path] as const;
    return [
      [`lstm ${path}`, { inputs: [4 * states, kernel], outputs: [states, 4 * states, states], scratchBytes: kernels.lstmScratch(...rest), run: ([y = 0, g = 0, c = 0], [z = 0, k = 0], scratch) => kernels.lstm(y, g, c, z, k, ...rest, scratch) }],
      [`lstmBack ${path}`, { inputs: [states, 4 * states, states, kernel], outputs: [4 * states], scratchBytes: kernels.lstmBackScratch(...rest), run: ([dz = 0], [dh = 0, g = 0, c = 0, k = 0], scratch) => kernels.lstmBack(dz, dh, g, c, k, ...rest, scratch) }],
    ];
  }); // biome-ignore format: one call a line
  const convolutions = [[1, 1, 0, 1], [2, 3, 1, 2], [2, 1, 0, 0], [1, 2, 0, 2], [2, 3, 1, 2, 2, 3]].flatMap(([r = 1, c = 1, left = 0, present = 1, ...[down = 1, across = 1]]): [string, Call][] => {
    const all = [2, 2, 3, size, size + 1, r, c, left, present, down, across, 1] as const;
    const [of, out, kernel] = [12 * size, 12 * (size + 1), r * c * size * (size + 1)];
    const [scratchBytes, backBytes] = [kernels.convolutionScratch(...all), kernels.correlationScratch(...all)];
    return [
      [`convolve ${r}x${c}, ${down} and ${across} apart`, { inputs: [of, kernel, size + 1], outputs: [out], scratchBytes, run: ([y = 0], [x = 0, k = 0, b = 0], scratch) => kernels.convolve(y, x, k, b, ...all, 0, scratch) }],
      [`convolveBack ${r}x${c}, ${down} and ${across} apart`, { inputs: [out, out, kernel], outputs: [of], scratchBytes, run: ([dx = 0], [dy = 0, y = 0, k = 0], scratch) => kernels.convolveBack(dx, dy, y, k, ...all, scratch) }],
      [`correlate ${r}x${c}, ${down} and ${across} apart`, { inputs: [of, out, out], outputs: [size + 1, ...(r * c === 1 ? [kernel] : [])], scratchBytes: backBytes + 4 * kernel, run: ([db = 0, dk], [x = 0, dy = 0, y = 0], scratch) => kernels.correlate(dk ?? scratch + backBytes, db, x, dy, y, ...all, scratch) }],
    ];
  }); // biome-ignore format: one call a line
  const depthwise = ([[2, 3, 1, 2, 1, 1], [3, 2, 0, 1, 2, 3]] as const).flatMap(([r, c, left, present, down, across]): [string, Call][] => {
    const all = [2, 2, 3, size, r, c, left, present, down, across] as const;
    const [of, kernel] = [12 * size, r * c * size];
    return [
      [`depthwise ${r}x${c}`, { inputs: [of, kernel], outputs: [of], run: ([y = 0], [x = 0, k = 0]) => kernels.depthwise(y, x, k, ...all) }],
      [`depthwiseBack ${r}x${c}`, { inputs: [of, of, kernel], outputs: [of, kernel], scratchBytes: kernels.depthwiseBackScratch(2, 2, 3, size), run: ([dx = 0, dk = 0], [dy = 0, x = 0, k = 0], scratch) => kernels.depthwiseBack(dx, dk, dy, x, k, ...all, scratch) }],
    ];
  }); // biome-ignore format: one call a line
  return [
    ...gates,
    ...depthwise,
    ['concatElu', { inputs: [x], outputs: [2 * x], run: ([y = 0], [of = 0]) => kernels.concatElu(y, of, rows, size) }],
    ['concatEluBack', { inputs: [2 * x, x], outputs: [x], run: ([dx = 0], [dy = 0, of = 0]) => kernels.concatEluBack(dx, dy, of, rows, size) }],
    ['normalizedKernel', { inputs: [3 * size, size], outputs: [3 * size], run: ([y = 0], [v = 0, gain = 0]) => kernels.normalizedKernel(y, v, gain, 3, size, 1e-12) }],
    ['normalizedKernelBack', { inputs: [3 * size, 3 * size, size], outputs: [3 * size, size], run: ([dv = 0, dgain = 0], [dy = 0, v = 0, gain = 0]) => kernels.normalizedKernelBack(dv, dgain, dy, v, gain, 3, size, 1e-12) }],
    ['layerNorm', { inputs: [x, features, features], outputs: [x], run: ([y = 0], [of = 0, scale = 0, shift = 0]) => kernels.layerNorm(y, of, scale, shift, ...sizes, 0, epsilon) }],
    ['layerNormBack', { inputs: [x, x, features], outputs: [x, features, features], scratchBytes: kernels.layerNormBackScratch(...sizes), run: ([dx = 0, dscale = 0, dshift = 0], [dy = 0, of = 0, scale = 0], scratch) => kernels.layerNormBack(dx, dscale, dshift, dy, of, scale, ...sizes, 0, epsilon, scratch) }],
    ['attention', { inputs: [x, x, x], outputs: [x, sums], scratchBytes: kernels.attentionScratch(...sizes, size), run: ([y = 0, logs = 0], [q = 0, k = 0, v = 0], scratch) => kernels.attention(y, logs, q, k, v, ...attention, scratch) }],
    ['attentionBack', { inputs: [x, x, x, x, x, sums], outputs: [x, x, x], scratchBytes: kernels.attentionBackScratch(...sizes, size), run: ([dq = 0, dk = 0, dv = 0], [dy = 0, q = 0, k = 0, v = 0, y = 0, logs = 0], scratch) => kernels.attentionBack(dq, dk, dv, dy, q, k, v, y, logs, ...attention, scratch) }],
    ...lstms,
    ...convolutions,
  ]; // biome-ignore format: one call a line
}

describe('the kernels of training', () => {
  const sizes = [1, 2, 3, 4, 5, 8, 13];

  it.each(sizes)('read nothing outside of their inputs, and write all of their outputs and nothing else: %i features', (size) => {
    const memory = new WebAssembly.Memory({ initial: 3 });
    const kernels = trainingLoops(memory);
    const floats = new Float32Array(memory.buffer);
    for (const [name, call] of callsOf(kernels, size)) {
      for (const last of call.inputs.keys()) expect([name, touched(call, last)]).toEqual([name, null]);
    }

    /** What a call does wrong, if anything, with an input at the very end of the memory: to read on would be an error. */
    function touched({ inputs, outputs, scratchBytes = 0, run }: Call, last: number): string | null {
      floats.fill(7);
      let end = floats.length;
      const place = (length: number) => {
        end -= length;
        return end;
      };
      place(inputs[last] as number);
      const read = inputs.map((length, i) => (i === last ? floats.length - length : place(length)));
      for (const [i, at] of read.entries()) floats.set(noise(inputs[i] as number, i + 1), at);
      const written = outputs.map(place);
      const gap = place(4);
      const scratch = place(Math.ceil(scratchBytes / 16) * 4) & ~3;
      floats.fill(Number.NaN, scratch, scratch + scratchBytes / 4); // whatever was there
      for (const [i, at] of written.entries()) floats.fill(Number.NaN, at, at + (outputs[i] as number));
      const before = floats.slice();
      const bytes = (places: number[]) => places.map((at) => 4 * at);
      run(bytes(written), bytes(read), 4 * scratch);
      const isAsBefore = (from: number, to: number) => floats.subarray(from, to).every((value, i) => value === before[from + i]);
      if (!isAsBefore(0, scratch) || !isAsBefore(gap, gap + 4)) return 'writes elsewhere';
      if (!read.every((at, i) => isAsBefore(at, at + (inputs[i] as number)))) return 'writes to its inputs';
      const all = written.map((at, i) => floats.subarray(at, at + (outputs[i] as number)));
      return all.some((output) => output.some(Number.isNaN)) ? 'leaves an output unwritten' : null;
    }
  });
});
