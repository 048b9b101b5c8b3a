import { plusProduct, V } from './vector';
import { usedColumns } from './window';

// A convolution in which each output sees only the input of its number, and its gradients. Windows are those of
// convolution.ts; kernels are [rows,columns,features].

/** y [images,height,width,features] = x * kernel */
export function depthwise(
  y: usize, x: usize, kernel: usize,
  images: usize, height: usize, width: usize, features: usize, rows: usize, columns: usize, left: usize,
  present: usize, down: usize, across: usize,
): void {
  const bytes = features * 4, row = width * bytes;
  memory.fill(y, 0, images * height * row);
  for (let n: usize = 0; n < images; n++) {
    for (let h: usize = 0; h < height; h++, y += row) {
      for (let r: usize = 0; r < rows; r++) {
        const above = (rows - 1 - r) * down;
        if (above > h) continue;
        const from = x + (n * height + h - above) * row;
        for (let c: usize = 0; c < usedColumns(r, rows, columns, present, false); c++) {
          const shift = (<isize>c - <isize>left) * <isize>across, k = kernel + (r * columns + c) * bytes;
          const first = firstPlace(shift), end = endPlace(shift, width);
          for (let w = first; w < end; w++) add(y + <usize>w * bytes, from + <usize>(w + shift) * bytes, k, bytes);
        }
      }
    }
  }
}

/** The gradients of {@link depthwise}. Sums for the kernel run over a row first, in scratch memory, then over rows. */
export function depthwiseBack(
  dx: usize, dkernel: usize, dy: usize, x: usize, kernel: usize,
  images: usize, height: usize, width: usize, features: usize, rows: usize, columns: usize, left: usize,
  present: usize, down: usize, across: usize, scratch: usize,
): void {
  const bytes = features * 4, row = width * bytes;
  memory.fill(dx, 0, images * height * row);
  memory.fill(dkernel, 0, rows * columns * bytes);
  for (let n: usize = 0; n < images; n++) {
    for (let h: usize = 0; h < height; h++, dy += row) {
      for (let r: usize = 0; r < rows; r++) {
        const above = (rows - 1 - r) * down;
        if (above > h) continue;
        const at = (n * height + h - above) * row;
        for (let c: usize = 0; c < usedColumns(r, rows, columns, present, false); c++) {
          const shift = (<isize>c - <isize>left) * <isize>across, tap = (r * columns + c) * bytes;
          const first = firstPlace(shift), end = endPlace(shift, width);
          memory.fill(scratch, 0, bytes);
          for (let w = first; w < end; w++) {
            const slope = dy + <usize>w * bytes, seen = at + <usize>(w + shift) * bytes;
            add(dx + seen, slope, kernel + tap, bytes);
            add(scratch, slope, x + seen, bytes);
          }
          sum(dkernel + tap, scratch, bytes);
        }
      }
    }
  }
}

export function depthwiseBackScratch(_images: usize, _height: usize, _width: usize, features: usize): usize {
  return features * 4;
}

/** The first column whose tap, so many columns to its right, lies in the image, and the one after the last. */
@inline
function firstPlace(shift: isize): isize {
  return max(0, -shift);
}

@inline
function endPlace(shift: isize, width: usize): isize {
  return min(<isize>width, <isize>width - shift);
}

/** y += a b */
@inline
function add(y: usize, a: usize, b: usize, bytes: usize): void {
  let i: usize = 0;
  for (; i + V <= bytes; i += V) v128.store(y + i, plusProduct(v128.load(y + i), v128.load(a + i), v128.load(b + i)));
  for (; i < bytes; i += 4) store<f32>(y + i, load<f32>(y + i) + load<f32>(a + i) * load<f32>(b + i));
}

function sum(y: usize, a: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 4) store<f32>(y + i, load<f32>(y + i) + load<f32>(a + i));
}
