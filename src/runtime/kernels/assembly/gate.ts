import { clamped, exp, powerOf2, scaledExpm1 } from './exp-f32';
import { ifPositive, tanhTimesSigmoid, timesSigmoid, withSign } from './gate-f32';
import { load4, startOf, step, write } from './tails';

// Each kind of gate has its own module, where IS_LINEAR is a constant, since a loop that checks the kind
// takes a third longer.
//
// Features are `groups` of 2 size, a then b in each: x [images,pixels,groups,2,size]. A condition
// [images,groups,2,size] is added to x at every pixel; its address is 0 if there is none.

/** y = tanh(a) sigmoid(b), or a sigmoid(b) [images,pixels,groups,size]. */
export function gate(
  y: usize, x: usize, condition: usize, images: usize, pixels: usize, groups: usize, size: usize,
): void {
  eachGroup(y, 0, x, condition, images, pixels, groups, size, false);
}

/** The gradient for x of {@link gate}: dx, shaped like x, from dy [images,pixels,groups,size]. */
export function gateBack(
  dx: usize, dy: usize, x: usize, condition: usize, images: usize, pixels: usize, groups: usize, size: usize,
): void {
  eachGroup(dx, dy, x, condition, images, pixels, groups, size, true);
}

/** Loops over all groups of all pixels, for the gate or its gradient. */
@inline
function eachGroup(
  to: usize, dy: usize, x: usize, condition: usize, images: usize, pixels: usize, groups: usize, size: usize,
  isBack: bool,
): void {
  const bytes = size * 4;
  for (let n: usize = 0; n < images; n++) {
    for (let p: usize = 0; p < pixels; p++) {
      let c = condition;
      for (let g: usize = 0; g < groups; g++, x += 2 * bytes) {
        for (let next: usize = 0; next < bytes; next += step(bytes)) {
          const i = startOf(next, bytes);
          const a = read(x + i, c, i, bytes), b = read(x + bytes + i, c, bytes + i, bytes);
          if (isBack) writeSlopes(to + i, load4(dy + i, bytes), a, b, bytes);
          else write(to + i, IS_LINEAR ? timesSigmoid(a, b) : tanhTimesSigmoid(a, b), bytes);
        }
        if (c != 0) c += 2 * bytes;
        to += isBack ? 2 * bytes : bytes;
        dy += bytes;
      }
    }
    if (condition != 0) condition += groups * 2 * bytes;
  }
}

/** Writes the gradients for a and b, from dy. */
@inline
function writeSlopes(dx: usize, dy: v128, a: v128, b: v128, bytes: usize): void {
  const one = f32x4.splat(1);
  let t = a, slope = one;
  if (!IS_LINEAR) {
    const minus2a = clamped(f32x4.mul(f32x4.abs(a), f32x4.splat(-2)));
    const power = powerOf2(minus2a), scaled = scaledExpm1(minus2a, power);
    const ea = f32x4.add(power, scaled), oneMinusEa = f32x4.sub(f32x4.sub(one, power), scaled);
    const ra = f32x4.div(one, f32x4.add(one, ea));
    t = withSign(f32x4.mul(oneMinusEa, ra), a); // tanh
    slope = f32x4.mul(f32x4.mul(f32x4.splat(4), ea), f32x4.mul(ra, ra)); // 1 - tanh^2
  }
  const eb = exp(f32x4.neg(f32x4.abs(b)));
  const rb = f32x4.div(one, f32x4.add(one, eb));
  const sigmoid = f32x4.mul(ifPositive(b, one, eb), rb);
  const rest = f32x4.mul(ifPositive(b, eb, one), rb); // 1 - sigmoid
  const d = f32x4.mul(dy, sigmoid);
  write(dx, f32x4.mul(d, slope), bytes);
  write(dx + bytes, f32x4.mul(f32x4.mul(d, rest), t), bytes);
}

/** x, plus the condition if there is one. */
@inline
function read(x: usize, condition: usize, i: usize, bytes: usize): v128 {
  const value = load4(x, bytes);
  return condition == 0 ? value : f32x4.add(value, load4(condition + i, bytes));
}
