import { V } from './vector';

// Features are `groups` of `size`, each normalized separately: x [images,pixels,groups,size]. The address of a scale or
// shift [groups,size] is 0 if there is none. RMS normalization, if `isRMS` is not 0, takes the mean as 0.

/** y = (x - mean) / sqrt(variance + epsilon) scale + shift, shaped like x. */
export function layerNorm(
  y: usize, x: usize, scale: usize, shift: usize,
  images: usize, pixels: usize, groups: usize, size: usize, isRMS: usize, epsilon: f32,
): void {
  const bytes = size * 4, pixelBytes = groups * bytes;
  for (let p = images * pixels; p > 0; p--) {
    for (let g: usize = 0; g < pixelBytes; g += bytes, x += bytes, y += bytes) {
      const mean = meanOf(x, bytes, isRMS), factor = factorOf(x, mean, bytes, epsilon);
      for (let i: usize = 0; i < bytes; i += step(i, bytes)) {
        const isWhole = i + V <= bytes;
        let value = f32x4.mul(centered(x + i, mean, isWhole), factor);
        if (scale != 0) value = f32x4.mul(value, read(scale + g + i, isWhole));
        if (shift != 0) value = f32x4.add(value, read(shift + g + i, isWhole));
        write(y + i, value, isWhole);
      }
    }
  }
}

export function layerNormBackScratch(_images: usize, _pixels: usize, groups: usize, size: usize): usize {
  return 2 * groups * size * 4;
}

/** The gradients of {@link layerNorm}. Sums of each image come first, at `sums`, to lose fewer digits. */
export function layerNormBack(
  dx: usize, dscale: usize, dshift: usize, dy: usize, x: usize, scale: usize,
  images: usize, pixels: usize, groups: usize, size: usize, isRMS: usize, epsilon: f32, sums: usize,
): void {
  const bytes = size * 4, pixelBytes = groups * bytes;
  memory.fill(dscale, 0, pixelBytes);
  memory.fill(dshift, 0, pixelBytes);
  for (; images > 0; images--) {
    memory.fill(sums, 0, 2 * pixelBytes);
    for (let p = pixels; p > 0; p--) {
      for (let g: usize = 0; g < pixelBytes; g += bytes, x += bytes, dy += bytes, dx += bytes) {
        const mean = meanOf(x, bytes, isRMS), factor = factorOf(x, mean, bytes, epsilon);
        const s = scale == 0 ? 0 : scale + g;
        let slopes = f32x4.splat(0), products = slopes; // sums of the normalized values' gradient, and of its product with them
        for (let i: usize = 0; i < bytes; i += step(i, bytes)) {
          const isWhole = i + V <= bytes;
          const normal = f32x4.mul(centered(x + i, mean, isWhole), factor);
          const slope = slopeOf(dy, s, i, isWhole);
          slopes = f32x4.add(slopes, slope);
          products = f32x4.add(products, f32x4.mul(slope, normal));
          const d = read(dy + i, isWhole), forScale = sums + g + i, forShift = forScale + pixelBytes;
          write(forScale, f32x4.add(read(forScale, isWhole), f32x4.mul(d, normal)), isWhole);
          write(forShift, f32x4.add(read(forShift, isWhole), d), isWhole);
        }
        const meanSlope = isRMS ? f32x4.splat(0) : average(slopes, size), meanProduct = average(products, size);
        for (let i: usize = 0; i < bytes; i += step(i, bytes)) {
          const isWhole = i + V <= bytes;
          const normal = f32x4.mul(centered(x + i, mean, isWhole), factor);
          const slope = f32x4.sub(slopeOf(dy, s, i, isWhole), meanSlope);
          write(dx + i, f32x4.mul(factor, f32x4.sub(slope, f32x4.mul(normal, meanProduct))), isWhole);
        }
      }
    }
    for (let i: usize = 0; i < pixelBytes; i += 4) {
      store<f32>(dscale + i, load<f32>(dscale + i) + load<f32>(sums + i));
      store<f32>(dshift + i, load<f32>(dshift + i) + load<f32>(sums + pixelBytes + i));
    }
  }
}

/** The mean of a group, or 0. */
function meanOf(x: usize, bytes: usize, isRMS: usize): v128 {
  let sum = f32x4.splat(0);
  if (isRMS) return sum;
  for (let i: usize = 0; i < bytes; i += step(i, bytes)) sum = f32x4.add(sum, read(x + i, i + V <= bytes));
  return average(sum, bytes >> 2);
}

/** 1 / sqrt(variance + epsilon) of a group. */
function factorOf(x: usize, mean: v128, bytes: usize, epsilon: f32): v128 {
  let sum = f32x4.splat(0);
  for (let i: usize = 0; i < bytes; i += step(i, bytes)) {
    const difference = centered(x + i, mean, i + V <= bytes);
    sum = f32x4.add(sum, f32x4.mul(difference, difference));
  }
  const variance = average(sum, bytes >> 2);
  return f32x4.div(f32x4.splat(1), f32x4.sqrt(f32x4.add(variance, f32x4.splat(epsilon))));
}

/** The sum of four numbers, divided by `size`. */
@inline
function average(four: v128, size: usize): v128 {
  const two = f32x4.add(four, v128.shuffle<f32>(four, four, 2, 3, 0, 1));
  const sum = f32x4.add(two, v128.shuffle<f32>(two, two, 1, 0, 3, 2));
  return f32x4.div(sum, f32x4.splat(<f32>size));
}

/** dy, times the scale if there is one. */
@inline
function slopeOf(dy: usize, scale: usize, i: usize, isWhole: bool): v128 {
  const d = read(dy + i, isWhole);
  return scale == 0 ? d : f32x4.mul(d, read(scale + i, isWhole));
}

// Whole vectors of a group, then one number at a time, with zeros in the other lanes.

@inline
function step(i: usize, bytes: usize): usize {
  return i + V <= bytes ? V : 4;
}

@inline
function centered(x: usize, mean: v128, isWhole: bool): v128 {
  const difference = f32x4.sub(read(x, isWhole), mean);
  return isWhole ? difference : v128.and(difference, i32x4(-1, 0, 0, 0));
}

@inline
function read(from: usize, isWhole: bool): v128 {
  return isWhole ? v128.load(from) : v128.load32_zero(from);
}

@inline
function write(to: usize, value: v128, isWhole: bool): void {
  if (isWhole) v128.store(to, value);
  else v128.store_lane<f32>(to, value, 0);
}
