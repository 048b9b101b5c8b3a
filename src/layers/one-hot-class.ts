import { cast, equal, range, serialization, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { checkArgs, checkInteger, wrong } from '../check';
import type { Features, Program } from '../program/program';
import type { LayerArgs, Shape } from './types';

/** Arguments of {@link OneHotClass}. */
export interface OneHotClassArgs extends LayerArgs {
  /** K; classes are the integers 0..K-1. */
  numClasses: number;
}

/**
 * Classes as conditions: [N,1] integers to one-hot vectors [N,K], float32. An integer that is no class
 * becomes zeros. No weights.
 *
 * A model whose second input goes through this layer is known to take classes by all functions with a
 * `condition`.
 *
 * Source: van den Oord et al., "Conditional Image Generation with PixelCNN Decoders" (2016), section 2.3: h
 * "a one-hot encoding that specifies a class".
 *
 * @throws TypeError naming `numClasses`, or an input of another shape.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { oneHotClass } from 'pixelcnn-layers';
 * const layer = oneHotClass({ numClasses: 3 });
 * layer.apply(tf.tensor2d([[2], [0]], [2, 1], 'int32')).print(); // [[0, 0, 1], [1, 0, 0]]
 * ```
 */
export class OneHotClass extends layers.Layer {
  /** @nocollapse */
  static className = 'OneHotClass';

  private readonly numClasses: number;

  constructor(args: OneHotClassArgs) {
    super(checkArgs('OneHotClass', args));
    this.numClasses = checkInteger('OneHotClass: numClasses', args.numClasses, 1);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    const [n, one, ...rest] = inputShape;
    if (Array.isArray(n) || Array.isArray(one) || one !== 1 || rest.length > 0) {
      wrong('OneHotClass: input', 'classes [N,1]', inputShape);
    }
    return [n as number | null, this.numClasses];
  }

  override call(inputs: Tensor | Tensor[], kwargs: Parameters<layers.Layer['call']>[1]): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const classes = cast((Array.isArray(inputs) ? inputs[0] : inputs) as Tensor, 'int32'); // [N,1]
      this.computeOutputShape(classes.shape); // checks the shape
      return cast(equal(classes, range(0, this.numClasses, 1, 'int32')), 'float32'); // [N,1], [K] -> [N,K]; oneHot has at least two
    });
  }

  /** Built of a program's operations, for incremental sampling. */
  incremental(program: Program, inputs: readonly Features[]): Features | null {
    const [label] = inputs;
    if (label === undefined) return null;
    const each = Array.from({ length: this.numClasses }, (_, k) =>
      program.map(label, (x) => (x === k ? 1 : 0)),
    );
    return program.concat(...each);
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), numClasses: this.numClasses };
  }
}
serialization.registerClass(OneHotClass);

/** Makes a {@link OneHotClass}. */
export function oneHotClass(args: OneHotClassArgs): OneHotClass {
  return new OneHotClass(args);
}
