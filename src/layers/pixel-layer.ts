import { cast, type DataType, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { type LayersModel, type LayerVariable, layers } from '@tensorflow/tfjs-layers';
import { checkFunction, checkInteger, throwTypeError } from '../runtime/core/check';
import type { Expressed, Ops } from '../runtime/program/operations';
import type { InitialWeights } from './initial-weights';
import { shapeOps } from './shape-ops';
import { tensorOps } from './tensor-ops';
import type { Apply, Constraint, Initializer, LayerArgs, Regularizer, Shape } from './types';

/**
 * A layer whose arithmetic is written once, in `express`, in terms of the operations {@link Ops}.
 * `call`, `computeOutputShape`, incremental sampling, `receptiveField` and `toPortable` all use it.
 *
 * Your own layer adds its weights in `build`, which ends with `super.build(inputShape)`, and registers its class.
 *
 * @throws TypeError if the class has no `className`, or, naming the layer, if an operation in `express` refuses its
 * operands; Error if it is called before it is built, or if `express` returns null and the class has no `call`.
 * @example
 * ```js
 * import * as tf from '@tensorflow/tfjs-core';
 * import { PixelLayer } from 'pixelcnn-layers';
 * class Swish extends PixelLayer {
 *   static className = 'Swish';
 *   express(ops, [x]) {
 *     return ops.combine('multiply', x, ops.pointwise('sigmoid', x)); // [N,H,W,F] -> [N,H,W,F]
 *   }
 * }
 * tf.serialization.registerClass(Swish);
 * const [y] = await new Swish().apply(tf.ones([1, 1, 1, 1])).data();
 * console.log(y.toFixed(4)); // 0.7311: sigmoid(1)
 * ```
 */
export abstract class PixelLayer extends layers.Layer implements Expressed {
  /** Applies the layer, as in tfjs. Returns a symbolic tensor for symbolic inputs, a tensor for tensors. */
  declare apply: Apply;

  protected readonly tensorOps = tensorOps();
  readonly #shapeOps = shapeOps(this.tensorOps); // not found by tf.dispose(layer), which reads every property of an object
  /** The shapes that were passed to the last call, which need not be checked again. */
  private checkedShapes = '';

  constructor(args?: LayerArgs) {
    super(checkClassName(new.target, args));
  }

  /**
   * Computes the layer's output from its inputs, whatever T is: tensors [N,H,W,F], shapes, or features of a pixel. Null
   * if the layer cannot be evaluated pixel by pixel.
   */
  abstract express<T>(ops: Ops<T>, inputs: readonly [T, ...T[]]): T | null;

  /** Makes the masks of the convolutions in `express`. Call it after adding all weights. */
  override build(inputShape: Shape | Shape[]): void {
    super.build(inputShape);
    this.makeOrDispose(() => {
      this.computeOutputShape(inputShape); // so that a class's own check of shapes reports first
      this.expressShape(inputShape);
    });
  }

  /** Adds a weight, as in tfjs, which needs an initializer: `addWeight('scale', [2], 'float32', initializers.ones())`. */
  protected override addWeight(
    name: string,
    shape: Shape,
    dtype?: DataType,
    initializer?: Initializer,
    ...rest: [Regularizer?, boolean?, Constraint?]
  ): LayerVariable {
    if (typeof initializer === 'function' || typeof initializer?.apply !== 'function') {
      const [what, wanted] = [`addWeight: initializer of '${name}'`, 'one, as initializers.zeros()'];
      this.makeOrDispose(() => this.naming(() => throwTypeError(what, wanted, initializer)));
    }
    return super.addWeight(name, shape, dtype, initializer, ...rest);
  }

  /** Makes weights or masks. If that throws, disposes them, since tfjs does not dispose a layer that is not built. */
  protected makeOrDispose(make: () => void): void {
    try {
      make();
    } catch (error) {
      this.disposeWeights();
      throw error;
    }
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return this.expressShape(inputShape) ?? this.cannot('computeOutputShape');
  }

  /** The shape of the output; null if `express` returns null. */
  private expressShape(inputShape: Shape | Shape[]): Shape | null {
    checkFunction(`${this.getClassName()}: express`, this.express);
    return this.naming(() => {
      const output = this.express<Shape>(this.#shapeOps, shapesOf(inputShape));
      if (output !== null && (!Array.isArray(output) || Array.isArray(output[0]))) {
        throwTypeError('express', 'the result of an operation of ops', output);
      }
      return output;
    });
  }

  /** Runs a function, and prefixes the message of a TypeError with the layer. */
  protected naming<T>(act: () => T): T {
    try {
      return act();
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      throw new TypeError(`layer '${this.name}' (${this.getClassName()}): ${cause.message}`, { cause });
    }
  }

  override call(inputs: Tensor | Tensor[], kwargs: Parameters<layers.Layer['call']>[1]): Tensor {
    return tidy(() => {
      const name = this.getClassName();
      if (!this.built) throw new Error(`${name}: called before it was built`);
      this.invokeCallHook(inputs, kwargs);
      const tensors = [inputs].flat().map(asFloat) as [Tensor, ...Tensor[]]; // tfjs passes one input alone or in a list
      const [first, ...rest] = tensors.map(({ shape }) => shape) as [Shape, ...Shape[]];
      const other = rest.findIndex(([images]) => images !== first[0]); // tensors would repeat one image
      if (other >= 0)
        throwTypeError(`${name}: input ${other + 1}`, `a batch of ${first[0]} images`, rest[other]);
      const shapes = tensors.map(({ shape }) => shape).join(' ');
      if (shapes !== this.checkedShapes)
        this.computeOutputShape(rest.length === 0 ? first : [first, ...rest]);
      this.checkedShapes = shapes;
      this.tensorOps.isTraining = kwargs?.['training'] === true;
      return this.naming(() => this.express(this.tensorOps, tensors)) ?? this.cannot('call');
    });
  }

  /**
   * Sets the number of the next training step, counted from 0, for the noise of `ops.dropout`. An
   * {@link AutoregressiveModel} does so; otherwise noise changes from call to call. Each image has its own: if a batch is
   * computed in parts, `firstImage` is the number of a part's first one. Dropouts without a seed take `seed`, if given.
   */
  setStep(step: number, firstImage = 0, seed?: string): void {
    this.tensorOps.setStep(checkInteger(`${this.getClassName()}: step`, step, 0), firstImage, seed);
  }

  /** Makes weight-normed convolutions collect initial gains and biases from their inputs; null ends this. @internal */
  initializeFrom(initial: InitialWeights | null): void {
    this.tensorOps.initial = initial;
  }

  private cannot(method: string): never {
    const layer = `layer '${this.name}' (${this.getClassName()})`;
    throw new Error(`${layer}: express returned null, so the class needs its own ${method}`);
  }

  protected override disposeWeights(): number {
    this.tensorOps.dispose();
    return super.disposeWeights();
  }
}

/** Checks that a class has the name under which tfjs saves it, before tfjs uses it. */
function checkClassName<Args>(layer: { name: string; className?: unknown }, args: Args): Args {
  const { className } = layer;
  if (typeof className !== 'string' || className === '') {
    const name = layer.name || 'PixelLayer';
    const wanted = `the class's own name, as in static className = '${name}'`;
    throwTypeError(`${name}: className`, wanted, className);
  }
  return args;
}

/** Calls a function with each layer of a graph, and of graphs within it. Layers of tfjs lack our methods. */
export function eachLayer(
  graph: Pick<LayersModel, 'layers'>,
  act: (layer: Partial<PixelLayer>) => void,
): void {
  for (const layer of graph.layers) {
    act(layer as Partial<PixelLayer>);
    if ('layers' in layer) eachLayer(layer as unknown as LayersModel, act);
  }
}

export const asFloat = (x: Tensor) => (x.dtype === 'float32' ? x : cast(x, 'float32'));

/** The shapes of a layer's inputs as a list. tfjs passes a single input's shape without one. */
export const shapesOf = (inputShape: Shape | Shape[]): [Shape, ...Shape[]] =>
  (Array.isArray(inputShape[0]) ? inputShape : [inputShape]) as [Shape, ...Shape[]];
