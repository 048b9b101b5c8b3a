import type { serialization } from '@tensorflow/tfjs-core';
import { InputSpec } from '@tensorflow/tfjs-layers';
import { type Declaration, readDeclared } from '../runtime/core/arguments';
import { checkMemory, checkNames, throwTypeError } from '../runtime/core/check';
import type { LayerWeight } from '../runtime/program/weights';
import { PixelLayer, shapesOf } from './pixel-layer';
import { partSeed, seededInitializer } from './seeds';
import type { Constraint, Initializer, LayerArgs, Regularizer, Shape } from './types';

/**
 * Arguments that every layer takes: tfjs's own; `customObjects`, which tfjs adds to the config of a layer
 * that it loads; and `index`, which a callback `block` of `pixelCNN` may pass on with its other arguments.
 */
const ofEveryLayer: readonly (keyof LayerArgs | 'customObjects' | 'index')[] = [
  'name',
  'trainable',
  'weights',
  'inputShape',
  'batchInputShape',
  'batchSize',
  'dtype',
  'inputDType',
  'customObjects',
  'index',
];

/** A layer's class, which declares its arguments, besides those of every tfjs layer. */
interface LayerClass {
  readonly className: string;
  readonly declared: Declaration;
}

/** A layer of this library. The static `declared` of its class defines checks, values in `settings`, and config. */
export abstract class DeclaredLayer<Settings, Args extends object = LayerArgs> extends PixelLayer {
  /** The values of the arguments, with defaults. */
  protected readonly settings: Settings;

  /** Checks names only for classes of this library, since a user's subclass may pass more arguments to `super`. */
  constructor(...given: object extends Args ? [args?: Args] : [args: Args]) {
    const [args = {}] = given as [object?];
    const { className, declared } = new.target as unknown as LayerClass;
    if (typeof args !== 'object' || args === null || Array.isArray(args))
      throwTypeError(className, 'an object of arguments', args);
    if (Object.hasOwn(new.target, 'declared'))
      checkNames(className, Object.keys(args), [...Object.keys(declared), ...ofEveryLayer]);
    super(args as LayerArgs);
    this.settings = readDeclared(className, args, declared) as Settings;
  }

  /** Makes the checks of input shapes that the operations in `express` do not make. */
  protected checkInputs(_shapes: readonly Shape[]): void {}

  /** Adds the weights, for inputs of these shapes, which have been checked. */
  protected addWeights(_shapes: readonly Shape[]): void {}

  override build(inputShape: Shape | Shape[]): void {
    const shapes = shapesOf(inputShape);
    this.makeOrDispose(() =>
      this.naming(() => {
        this.checkInputs(shapes);
        this.addWeights(shapes);
      }),
    );
    if (this.weights.length > 0) this.inputSpec = shapes.map(specOf);
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    if (!this.built && this.addWeights !== DeclaredLayer.prototype.addWeights)
      throw new Error(`${this.getClassName()}: computeOutputShape: called before it was built`);
    this.naming(() => this.checkInputs(shapesOf(inputShape)));
    return super.computeOutputShape(inputShape);
  }

  /** Adds a weight. If its initializer is random, the layer's seed and the weight's name determine the numbers. @internal */
  addSeededWeight(
    name: string,
    shape: readonly number[],
    initializer: Initializer,
    regularizer?: Regularizer,
    constraint?: Constraint,
  ): LayerWeight {
    checkMemory(name, shape);
    const { seed } = this.settings as { seed?: number };
    const seeded = seededInitializer(initializer, partSeed(seed, name));
    return this.addWeight(name, [...shape], 'float32', seeded, regularizer, true, constraint);
  }

  override getConfig(): serialization.ConfigDict {
    const { declared } = this.constructor as unknown as LayerClass;
    const settings = this.settings as Readonly<Record<string, unknown>>;
    const config = super.getConfig();
    for (const [name, { toConfig = (value: unknown) => value }] of Object.entries(declared)) {
      const value = settings[name] == null ? null : toConfig(settings[name]);
      config[name] = value as serialization.ConfigDictValue;
    }
    return config;
  }
}

/** A spec by which tfjs refuses inputs of another rank or number of features. */
const specOf = (shape: Shape) =>
  new InputSpec({ ndim: shape.length, axes: { [shape.length - 1]: shape.at(-1) as number } });

/** Checks a layer's single input [N,H,W,F] and returns F. `wanted` is the required F, if any, derived by `formula`. */
export function checkMap(what: string, shapes: readonly Shape[], wanted?: number, formula?: string): number {
  const [shape = [], ...others] = shapes;
  const features = shape[3];
  if (shape.length !== 4 || features == null || others.length > 0) {
    const got = others.length > 0 ? shapes : shape;
    throwTypeError(what, 'one tensor [N,H,W,features] with its features known', got);
  }
  if (wanted !== undefined && features !== wanted)
    throwTypeError(what, `${wanted} features (${formula})`, features);
  return features;
}
