import { flag, integer, optional } from '../../core/arguments';
import { checkFeatures } from '../../core/check';
import { MAX_LENGTH } from '../../core/images';
import { type KernelWindow, pointWindow } from '../../core/window';
import type { Nodes } from '../nodes';
import { operation } from '../operation';
import { conv } from './conv';

/** The factor by which a map is enlarged, at most the length of the largest image. */
const enlargement = integer({ from: 1, to: MAX_LENGTH });

export const upsample = operation({
  name: 'upsample',
  operands: 1,
  fields: { rows: enlargement, columns: enlargement, spread: optional(flag(false)) },
  isOfMaps: true,
  makesMaps: true,
  size([x], { rows, columns, spread }, what) {
    return spread
      ? checkFeatures(`${what}: input`, x.size, rows * columns, 'rows * columns') / rows / columns
      : x.size;
  },
  readsWholeMaps: () => true,
});

export const position = operation({
  name: 'position',
  operands: 1,
  fields: {},
  isOfMaps: true,
  size: () => 2,
  readsWholeMaps: () => true,
});

export const mapOps = <T>(nodes: Nodes<T>) => ({
  /**
   * Repeats each place of a map over a number of rows and columns: [N,H,W,F] -> [N,rows*H,columns*W,F]. Or spreads its
   * features over them, those of the first row's first column first: [N,H,W,rows*columns*F] -> [N,rows*H,columns*W,F], or
   * [N,rows*columns*F] -> [N,rows,columns,F]. In programs, only for maps computed from conditions.
   */
  upsample(x: T, rows: number, columns: number, spread = false): T {
    return nodes.add(upsample, [x], { rows, columns, spread: spread || undefined });
  },
  /** The position of each place, ((row - H/2)/H, (column - W/2)/W): [N,H,W,F] -> [N,H,W,2]. */
  position(x: T): T {
    const { image, scale } = nodes.strided(x) ?? { image: x, scale: 1 };
    // Strides keep the upper left of the places that they merge, so a coarse place has that place's position.
    let y = nodes.add(position, [image], {});
    const window: KernelWindow = { ...pointWindow, present: 'everything', stride: 2 }; // every second row and column
    for (let reached = 1; reached < scale; reached *= window.stride) {
      const kernel = nodes.derived('every_second', [1, 1, 2, 2], [], () => Float32Array.of(1, 0, 0, 1));
      y = nodes.add(conv, [y], { kernel, bias: null, window });
    }
    return y;
  },
});
