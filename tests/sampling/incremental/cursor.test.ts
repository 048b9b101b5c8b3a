import { expect, it } from 'vitest';
import { ONCE } from '../../../src/program/steps';
import { Cursor } from '../../../src/sampling/incremental/cursor';
import type { Machine } from '../../../src/sampling/incremental/machine';

it('runs what is known once, what is known in a row, and each step of a pixel, once and in order', () => {
  const log: string[] = [];
  const machine = {
    moveTo: (row: number, column: number) => log.push(`move ${row} ${column}`),
    run: (step: number) => log.push(step === ONCE ? 'once' : `step ${step}`),
    runRow: () => log.push('row'),
  };
  const cursor = new Cursor(machine as unknown as Machine, (row) => log.push(`condition ${row}`));
  const taken = () => log.splice(0);

  cursor.enter(0, 0);
  expect(taken()).toEqual(['move 0 0', 'condition 0', 'once', 'row', 'move 0 0']);
  cursor.runTo(1);
  expect(taken()).toEqual(['step 0', 'step 1']);
  cursor.enter(0, 0); // it is entered
  cursor.runTo(0); // it is done
  expect(taken()).toEqual([]);
  cursor.runTo(2);
  cursor.leave();
  expect(taken()).toEqual(['step 2']);

  cursor.enter(0, 1);
  cursor.runTo(0);
  cursor.leave();
  expect(taken()).toEqual(['move 0 1', 'step 0']);

  cursor.enter(1, 0);
  expect(taken()).toEqual(['move 1 0', 'condition 1', 'row', 'move 1 0']);
});
