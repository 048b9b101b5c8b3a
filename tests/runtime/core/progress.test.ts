import { describe, expect, it, vi } from 'vitest';
import { reportProgress } from '../../../src/runtime/core/progress';

const reason = new Error('enough');
const never = new Promise<void>(() => {});

describe('reportProgress', () => {
  it('reports at once, and waits for a promise', async () => {
    const order: unknown[] = [];
    const told = reportProgress(async (progress) => {
      order.push(progress);
      await null;
      order.push('later');
    }, 7);
    expect(order).toEqual([7]);
    await told;
    expect(order).toEqual([7, 'later']);
  });

  it.each([undefined, null, 5, {}])('takes anything else for nothing: %o', async (returned) => {
    await reportProgress(() => returned, 1, AbortSignal.abort(reason)); // nothing to wait for, so the signal is not looked at
  });

  it('rejects with what the function throws or rejects with', async () => {
    const thrower = () => {
      throw reason;
    };
    await expect(reportProgress(thrower, 1)).rejects.toBe(reason);
    await expect(reportProgress(() => Promise.reject(reason), 1)).rejects.toBe(reason);
  });

  it('rejects when the signal aborts, before, inside or after the call, and lets go of it', async () => {
    const inside = new AbortController();
    const hang = () => {
      inside.abort(reason);
      return never;
    };
    await expect(reportProgress(hang, 1, inside.signal)).rejects.toBe(reason);
    const after = new AbortController();
    const told = reportProgress(() => never, 1, after.signal);
    after.abort(reason);
    await expect(told).rejects.toBe(reason);

    const { signal } = new AbortController();
    const [add, remove] = [vi.spyOn(signal, 'addEventListener'), vi.spyOn(signal, 'removeEventListener')];
    await reportProgress(async () => {}, 1, signal);
    expect(remove.mock.calls).toEqual(add.mock.calls);
    expect(add).toHaveBeenCalledTimes(1);
  });

  it('leaves nothing unhandled where the signal came first', async () => {
    let reject = (_: Error) => {};
    const promise = new Promise<void>((_, no) => (reject = no));
    const aborter = new AbortController();
    const told = reportProgress(() => promise, 1, aborter.signal);
    aborter.abort(reason);
    await expect(told).rejects.toBe(reason);
    reject(new Error('too late')); // would fail the run if unhandled
    await new Promise((resolve) => setTimeout(resolve));
  });
});
