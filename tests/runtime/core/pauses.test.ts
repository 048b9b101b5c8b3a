import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { inParts, pauses } from '../../../src/runtime/core/pauses';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('pauses once the time has passed, until other work has run, and counts from then on', async () => {
  const pause = pauses(100);
  vi.advanceTimersByTime(99);
  expect(pause()).toBeUndefined();
  vi.advanceTimersByTime(1);
  const resumed = vi.fn();
  const paused = pause();
  expect(paused).toBeInstanceOf(Promise);
  paused?.then(resumed);
  await Promise.resolve();
  expect(resumed).not.toHaveBeenCalled();
  vi.advanceTimersByTime(30);
  await paused;
  vi.advanceTimersByTime(69);
  expect(pause()).toBeUndefined();
});

it('goes through all parts, and looks at the signal after each pause alone', async () => {
  const aborter = new AbortController();
  const done: number[] = [];
  function* parts(count: number) {
    for (let part = 1; part <= count; part++) {
      done.push(part);
      yield;
    }
  }
  await inParts(parts(2), () => undefined, AbortSignal.abort());
  await inParts(parts(2), async () => {}, undefined);
  expect(done.splice(0)).toEqual([1, 2, 1, 2]);
  const abort = async () => aborter.abort(new Error('enough'));
  await expect(inParts(parts(2), abort, aborter.signal)).rejects.toThrow('enough');
  expect(done).toEqual([1]);
});
