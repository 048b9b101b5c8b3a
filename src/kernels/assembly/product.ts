import { V } from './vector';

/**
 * y = max(start + x w, least): y[n][o] from start[n][o] + x[n][0] w[0][o] + x[n][1] w[1][o] + ..., in tiles
 * of 4 images by 8 outputs held in registers. A start stride of 0 gives every image the same start.
 */
export function product(
  y: usize,
  yStride: usize,
  start: usize,
  startStride: usize,
  x: usize,
  xStride: usize,
  w: usize,
  wStride: usize,
  images: usize,
  inputs: usize,
  outputs: usize,
  least: f32,
): void {
  const l = f32x4.splat(least);
  let o: usize = 0;
  for (; o + 8 <= outputs; o += 8) {
    let n: usize = 0;
    const wo = w + o * 4;
    for (; n + 4 <= images; n += 4) {
      const y0 = y + n * yStride + o * 4,
        y1 = y0 + yStride,
        y2 = y1 + yStride,
        y3 = y2 + yStride;
      const s0 = start + n * startStride + o * 4,
        s1 = s0 + startStride,
        s2 = s1 + startStride,
        s3 = s2 + startStride;
      let a0 = v128.load(s0),
        b0 = v128.load(s0 + V),
        a1 = v128.load(s1),
        b1 = v128.load(s1 + V);
      let a2 = v128.load(s2),
        b2 = v128.load(s2 + V),
        a3 = v128.load(s3),
        b3 = v128.load(s3 + V);
      let x0 = x + n * xStride,
        x1 = x0 + xStride,
        x2 = x1 + xStride,
        x3 = x2 + xStride,
        wi = wo;
      for (let i: usize = 0; i < inputs; i++) {
        const wa = v128.load(wi),
          wb = v128.load(wi + V);
        let s = v128.load_splat<f32>(x0);
        a0 = f32x4.add(a0, f32x4.mul(s, wa));
        b0 = f32x4.add(b0, f32x4.mul(s, wb));
        s = v128.load_splat<f32>(x1);
        a1 = f32x4.add(a1, f32x4.mul(s, wa));
        b1 = f32x4.add(b1, f32x4.mul(s, wb));
        s = v128.load_splat<f32>(x2);
        a2 = f32x4.add(a2, f32x4.mul(s, wa));
        b2 = f32x4.add(b2, f32x4.mul(s, wb));
        s = v128.load_splat<f32>(x3);
        a3 = f32x4.add(a3, f32x4.mul(s, wa));
        b3 = f32x4.add(b3, f32x4.mul(s, wb));
        x0 += 4;
        x1 += 4;
        x2 += 4;
        x3 += 4;
        wi += wStride;
      }
      v128.store(y0, f32x4.pmax(a0, l));
      v128.store(y0 + V, f32x4.pmax(b0, l));
      v128.store(y1, f32x4.pmax(a1, l));
      v128.store(y1 + V, f32x4.pmax(b1, l));
      v128.store(y2, f32x4.pmax(a2, l));
      v128.store(y2 + V, f32x4.pmax(b2, l));
      v128.store(y3, f32x4.pmax(a3, l));
      v128.store(y3 + V, f32x4.pmax(b3, l));
    }
  }
  const tiled = images & ~3;
  for (let n: usize = 0; n < images; n++) {
    const from = n < tiled ? o : 0;
    row(y + n * yStride, start + n * startStride, x + n * xStride, w, wStride, inputs, from, outputs, l);
  }
}

/** Outputs [o, outputs) of one image, 16 at a time: four sums that do not wait for each other. */
// @ts-ignore: decorator
@inline
function row(
  y: usize,
  start: usize,
  x: usize,
  w: usize,
  wStride: usize,
  inputs: usize,
  o: usize,
  outputs: usize,
  least: v128,
): void {
  for (; o + 16 <= outputs; o += 16) {
    const s = start + o * 4, t = y + o * 4;
    let a = v128.load(s), b = v128.load(s + V), c = v128.load(s + 2 * V), d = v128.load(s + 3 * V);
    let xi = x, wi = w + o * 4;
    for (let i: usize = 0; i < inputs; i++) {
      const v = v128.load_splat<f32>(xi);
      a = f32x4.add(a, f32x4.mul(v, v128.load(wi)));
      b = f32x4.add(b, f32x4.mul(v, v128.load(wi + V)));
      c = f32x4.add(c, f32x4.mul(v, v128.load(wi + 2 * V)));
      d = f32x4.add(d, f32x4.mul(v, v128.load(wi + 3 * V)));
      xi += 4;
      wi += wStride;
    }
    v128.store(t, f32x4.pmax(a, least));
    v128.store(t + V, f32x4.pmax(b, least));
    v128.store(t + 2 * V, f32x4.pmax(c, least));
    v128.store(t + 3 * V, f32x4.pmax(d, least));
  }
  for (; o < outputs; o += 4) {
    let a = v128.load(start + o * 4);
    let xi = x, wi = w + o * 4;
    for (let i: usize = 0; i < inputs; i++) {
      a = f32x4.add(a, f32x4.mul(v128.load_splat<f32>(xi), v128.load(wi)));
      xi += 4;
      wi += wStride;
    }
    v128.store(y + o * 4, f32x4.pmax(a, least));
  }
}
