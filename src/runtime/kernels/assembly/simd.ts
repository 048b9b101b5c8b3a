/** Has a SIMD instruction, and so compiles if all other modules do. */
export function clear(to: usize): void {
  v128.store(to, i32x4.splat(0));
}
