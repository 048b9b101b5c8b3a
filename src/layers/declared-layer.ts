import { serialization } from '@tensorflow/tfjs-core';
import { InputSpec } from '@tensorflow/tfjs-layers';
import { type Declaration, readDeclared } from '../runtime/core/arguments';
import { checkMemory, checkNames, throwTypeError } from '../runtime/core/check';
import type { Ops } from '../runtime/program/operations';
import type { LayerWeight } from '../runtime/program/weights';
import { PixelLayer, shapesOf } from './pixel-layer';
import { partSeed, seededInitializer } from './seeds';
import type { Constraint, Initializer, LayerArgs, Regularizer, Shape } from './types';

/** Arguments that every layer takes. */
const ofEveryLayer: readonly string[] = [
  ...['name', 'trainable', 'weights', 'inputShape', 'batchInputShape', 'batchSize', 'dtype', 'inputDType'],
  'customObjects', // which tfjs adds to the config of a layer that it loads
  'index', // which a callback `block` of `pixelCNN` may pass on with its other arguments
];

/** A layer's arithmetic, as its method `express`, with the weights that it has added. */
export type Arithmetic = <T>(ops: Ops<T>, inputs: readonly [T, ...T[]]) => T | null;

/** A layer of this library. Its declared arguments define checks, values in `settings`, and config. */
export abstract class DeclaredLayer<Settings, Args extends object = LayerArgs> extends PixelLayer {
  declare static className: string;
  /** @internal */
  declare static readonly declared: Declaration;

  /** The values of the arguments, with defaults. */
  protected readonly settings: Settings;
  private arithmetic: Arithmetic | undefined;

  /** Checks names only for classes of this library, since a user's subclass may pass more arguments to `super`. */
  constructor(...given: object extends Args ? [args?: Args] : [args: Args]) {
    const [args = {}] = given as [object?];
    const { className, declared } = new.target;
    if (typeof args !== 'object' || args === null || Array.isArray(args))
      throwTypeError(className, 'an object of arguments', args);
    if (Object.hasOwn(new.target, 'declared'))
      checkNames(className, Object.keys(args), [...Object.keys(declared), ...ofEveryLayer]);
    super(args as LayerArgs);
    this.settings = readDeclared(className, args, declared) as Settings;
  }

  /** Makes the checks of input shapes that the operations of the layer do not make. */
  protected checkInputs(_shapes: readonly Shape[]): void {}

  /**
   * Adds the weights, for inputs of these shapes, which have been checked, and returns the arithmetic with them. A layer
   * without weights has an `express` of its own instead.
   */
  protected addWeights?(shapes: readonly Shape[]): Arithmetic;

  override express<T>(ops: Ops<T>, inputs: readonly [T, ...T[]]): T | null {
    return (this.arithmetic as Arithmetic)(ops, inputs);
  }

  override build(inputShape: Shape | Shape[]): void {
    const shapes = shapesOf(inputShape);
    this.makeOrDispose(() =>
      this.naming(() => {
        this.checkInputs(shapes);
        this.arithmetic = this.addWeights?.(shapes);
      }),
    );
    if (this.weights.length > 0) this.inputSpec = shapes.map(specOf);
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    if (!this.built && this.addWeights !== undefined)
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
    const { declared } = this.constructor as typeof DeclaredLayer;
    const settings = this.settings as Readonly<Record<string, unknown>>;
    const config = super.getConfig();
    for (const [name, { toConfig = (value: unknown) => value }] of Object.entries(declared)) {
      const value = settings[name] == null ? null : toConfig(settings[name]);
      config[name] = value as serialization.ConfigDictValue;
    }
    return config;
  }
}

/** Names a class of layers and its arguments, and registers it with tfjs. */
export function defineLayer(Class: object, className: string, declared: Declaration = {}): void {
  serialization.registerClass(Object.assign(Class, { className, declared }) as never);
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
