/** A time in words: 12 ms, 0.35 s, 2 min 5 s. */
export function seconds(time) {
  if (time < 0.0095) return `${(1000 * time).toFixed(1)} ms`;
  if (time < 0.1) return `${(1000 * time).toFixed(0)} ms`;
  if (time < 10) return `${time.toFixed(2)} s`;
  if (time < 60) return `${time.toFixed(0)} s`;
  return `${Math.floor(time / 60)} min ${Math.round(time % 60)} s`;
}
