import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { clock, progressBar, trainingProgress } from '../../../kit/runs/progress.mjs';

describe('progress where there is no terminal', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('is the first line and the last, and one every five seconds, none twice', () => {
    const lines: string[] = [];
    const stream = { write: (line: string) => lines.push(line) } as unknown as NodeJS.WriteStream;
    const bar = progressBar('{what}  {bar} {percentage} %, {eta} s left', { stream });
    bar.stop(); // nothing was started
    bar.start(200, 0, { what: 'digits' });
    for (let value = 1; value <= 200; value++) {
      vi.advanceTimersByTime(50); // 10 seconds in all
      bar.update(value);
    }
    bar.stop();
    bar.stop();
    expect(lines).toEqual([
      'digits  0 %, - s left\n',
      'digits  50 %, 5 s left\n', // after 5 seconds
      'digits  100 %, 0 s left\n', // after 10, and not once more at the end
    ]);
  });

  it('of training is on stdout', () => {
    const lines: unknown[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((line) => lines.push(line) > 0);
    const progress = trainingProgress(100, 40, 'bits');
    vi.advanceTimersByTime(10_000);
    progress.update(60, 1.23456);
    progress.stop();
    vi.restoreAllMocks();
    expect(lines).toEqual([
      'step 40/100  - bits  - steps/s  - left\n',
      'step 60/100  1.235 bits  2.0 steps/s  0:20 left\n', // 20 steps in 10 seconds, 40 to go
    ]);
  });
});

it('clock', () => {
  expect([0.2, 59, 61, 3661].map(clock)).toEqual(['0:01', '0:59', '1:01', '1:01:01']);
});
