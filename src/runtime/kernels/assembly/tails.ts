import { V } from './vector';

// With at least four numbers, the last vector starts early and overlaps; fewer are processed one at a time.

@inline
export function step(bytes: usize): usize {
  return bytes < V ? 4 : V;
}

@inline
export function startOf(next: usize, bytes: usize): usize {
  return bytes < V ? next : min(next, bytes - V);
}

@inline
export function load4(from: usize, bytes: usize): v128 {
  return bytes < V ? v128.load32_splat(from) : v128.load(from);
}

@inline
export function write(to: usize, value: v128, bytes: usize): void {
  if (bytes < V) v128.store_lane<f32>(to, value, 0);
  else v128.store(to, value);
}
