import { ONCE } from '../../program/steps';
import type { Machine } from './machine';

/**
 * Follows the places of images in their order, and runs each step of a program once, when it is asked for.
 */
export class Cursor {
  private row = -1;
  /** Whether there is a present pixel, and how many of its steps are done. */
  private isEntered = false;
  private done = 0;

  /** `putCondition` writes what the images are conditioned on, for a row that begins. */
  constructor(
    private readonly machine: Machine,
    private readonly putCondition: (row: number) => void,
  ) {}

  /** Makes a pixel the present one, unless it is. */
  enter(row: number, column: number): void {
    if (this.isEntered) return;
    if (row !== this.row) this.enterRow(row);
    this.machine.moveTo(row, column);
    this.isEntered = true;
    this.done = 0;
  }

  private enterRow(row: number): void {
    const isFirst = this.row < 0;
    this.row = row;
    this.machine.moveTo(row, 0);
    this.putCondition(row);
    if (isFirst) this.machine.run(ONCE);
    this.machine.runRow();
  }

  /** Runs the steps of the present pixel up to one. */
  runTo(step: number): void {
    for (; this.done <= step; this.done++) this.machine.run(this.done);
  }

  /** Lets the present pixel go; another is entered next. */
  leave(): void {
    this.isEntered = false;
  }
}
