import { add, dropout, reshape, serialization, type Tensor, type Tensor2D, type Tensor4D, tidy } from '@tensorflow/tfjs-core'; // biome-ignore format: one line
import { InputSpec, initializers, layers } from '@tensorflow/tfjs-layers';
import {
  checkArgs,
  checkFeatures,
  checkInteger,
  checkKernelSize,
  checkNumber,
  checkOneOf,
  wrong,
} from '../check';
import { getMask, type MaskArgs, type MaskType } from '../mask';
import { gate } from '../ops/gate';
import type { Features, Program } from '../program/program';
import { imageInputShape, imageInputSpec, oneInput } from './layer-input';
import { MaskedConv } from './masked-conv';
import { readSavedConfig } from './saved-config';
import type { LayerArgs, Shape } from './types';

/** Arguments of {@link GatedPixelCNNBlock}. */
export interface GatedPixelCNNBlockArgs extends LayerArgs {
  /** F, the features of each stack that come out, a multiple of `imageChannels`. */
  filters: number;
  /** Rows and columns of the window, odd; one number for a square one. @default 3 */
  kernelSize?: number | [number, number];
  /** 'A' for the block that reads the image, which is then both its inputs; 'B' for every later one. @default 'B' */
  maskType?: MaskType;
  /** Channels of the image (3 for RGB); features are split into as many groups. @default 3 */
  imageChannels?: number;
  /** Features of a third output, made of the horizontal stack's gated features, a multiple of `imageChannels`. @default none */
  skipFilters?: number;
  /** Probability with which the horizontal stack's gated features are dropped in training. @default 0 */
  dropout?: number;
}

/** The convolutions of a block. */
interface Convs {
  readonly vertical: MaskedConv;
  readonly horizontal: MaskedConv;
  readonly across: MaskedConv;
  readonly out: MaskedConv;
  readonly skip: MaskedConv | null;
  /** Of the condition, to the vertical and the horizontal gate. */
  readonly condition: readonly [MaskedConv, MaskedConv] | null;
}

/**
 * The block of Gated PixelCNN: a vertical stack that sees all rows above, whole, and a horizontal stack that sees the present row up to the present value
 * and, through the vertical one, all above it. Together they have no blind spot.
 *
 * From [vertical, horizontal] (or [vertical, horizontal, condition]) to [vertical, horizontal] (or [vertical, horizontal, skip]), each [N,H,W,F]:
 *
 *     v = conv_{n x n, rows above and present}(vertical)
 *     h = conv_{1 x n, masked}(horizontal) + conv_{1x1}(v)
 *     gate(x) = tanh(x_a + c_a) sigmoid(x_b + c_b), c a projection of the condition
 *     vertical' = gate(v);  horizontal' = horizontal + conv_{1x1}(gate(h));  skip = conv_{1x1}(gate(h))
 *
 * With mask A, for the block that reads the image, the vertical stack sees the rows above the present one only, and nothing is added to conv_{1x1}(gate(h)).
 * The 2F features before a gate are channel-major: of each channel's group the first half is a, the second b.
 *
 * The condition is a vector [N,K], the same at every pixel, such as a one-hot class, or a map [N,H,W,K]. It may be given to some blocks or all.
 *
 * Weights: vertical kernel [n,n,in,2F] (whole, also where masked), bias [2F]; horizontal kernel [1,n,in,2F], bias [2F]; across kernel [1,1,2F,2F]; out kernel
 * [1,1,F,F], bias [F]; skip kernel [1,1,F,skipFilters], bias; vertical and horizontal condition kernel [1,1,K,2F] each.
 *
 * Source: van den Oord et al., "Conditional Image Generation with PixelCNN Decoders" (2016), section 2.1 to 2.3, figure 2, equations 2 to 4; the skip output is
 * that of WaveNet.
 *
 * @throws TypeError naming the argument: even kernels, `filters` that `imageChannels` does not divide or that are not those of the horizontal stack.
 * @example
 * ```js
 * import { input } from '@tensorflow/tfjs-layers';
 * import { gatedPixelCNNBlock } from 'pixelcnn-layers';
 * const image = input({ shape: [8, 8, 3] });
 * const [v, h] = gatedPixelCNNBlock({ filters: 12, kernelSize: 5, maskType: 'A' }).apply([image, image]);
 * const [, last] = gatedPixelCNNBlock({ filters: 12 }).apply([v, h]);
 * console.log(last.shape); // [null, 8, 8, 12]
 * ```
 */
export class GatedPixelCNNBlock extends layers.Layer {
  /** @nocollapse */
  static className = 'GatedPixelCNNBlock';

  private readonly filters: number;
  private readonly kernelSize: [number, number];
  private readonly maskType: MaskType;
  private readonly imageChannels: number;
  private readonly skipFilters: number | undefined;
  private readonly dropout: number;
  private convs?: Convs;

  constructor(args: GatedPixelCNNBlockArgs) {
    super(checkArgs('GatedPixelCNNBlock', args));
    this.imageChannels = checkInteger('GatedPixelCNNBlock: imageChannels', args.imageChannels ?? 3, 1);
    this.filters = checkFeatures('GatedPixelCNNBlock: filters', args.filters, this.imageChannels);
    this.kernelSize = checkKernelSize('GatedPixelCNNBlock: kernelSize', args.kernelSize ?? 3);
    this.maskType = checkOneOf('GatedPixelCNNBlock: maskType', args.maskType ?? 'B', ['A', 'B']);
    const { skipFilters } = args;
    this.skipFilters =
      skipFilters == null
        ? undefined
        : checkFeatures('GatedPixelCNNBlock: skipFilters', skipFilters, this.imageChannels);
    const isRate = (rate: number) => rate >= 0 && rate < 1;
    this.dropout = checkNumber('GatedPixelCNNBlock: dropout', args.dropout ?? 0, 'from 0, below 1', isRate);
  }

  override build(inputShape: Shape | Shape[]): void {
    const { filters, maskType, imageChannels, skipFilters } = this;
    const [vertical, horizontal, condition] = readInputShapes(inputShape);
    checkFeatures('GatedPixelCNNBlock: features of the horizontal stack', horizontal[3], imageChannels);
    if (maskType === 'B' && horizontal[3] !== filters) {
      wrong(
        `GatedPixelCNNBlock: filters (${filters})`,
        `a horizontal stack of as many features`,
        horizontal[3],
      );
    }
    const [rows, columns] = this.kernelSize;
    const conv = (
      name: string,
      kernelSize: [number, number],
      mask: Omit<MaskArgs, 'kernelSize'>,
      useBias = true,
    ) => this.addConv(name, { kernelSize, ...mask }, useBias);
    const gates = 2 * filters;
    const pointwise = { featuresIn: filters, imageChannels };
    const ofCondition = { featuresIn: condition?.at(-1) ?? 0, featuresOut: gates, imageChannels: 1 };
    this.convs = {
      vertical: conv('vertical', [rows, columns], { featuresIn: vertical[3], featuresOut: gates, maskType, imageChannels: 1, vertical: true }), // biome-ignore format: one line
      horizontal: conv('horizontal', [1, columns], { featuresIn: horizontal[3], featuresOut: gates, maskType, imageChannels }), // biome-ignore format: one line
      across: conv('across', [1, 1], { featuresIn: gates, featuresOut: gates, imageChannels: 1 }, false),
      out: conv('out', [1, 1], { ...pointwise, featuresOut: filters }),
      skip:
        skipFilters === undefined ? null : conv('skip', [1, 1], { ...pointwise, featuresOut: skipFilters }),
      condition:
        condition === undefined
          ? null
          : [conv('vertical_condition', [1, 1], ofCondition, false), conv('horizontal_condition', [1, 1], ofCondition, false)], // biome-ignore format: one line
    };
    const conditionSpec = condition === undefined ? [] : [new InputSpec({ ndim: condition.length, axes: { [-1]: condition.at(-1) as number } })]; // biome-ignore format: one line
    this.inputSpec = [...imageInputSpec(vertical[3]), ...imageInputSpec(horizontal[3]), ...conditionSpec];
    super.build(inputShape);
  }

  private addConv(name: string, mask: MaskArgs, useBias: boolean): MaskedConv {
    const { kernelSize, featuresIn, featuresOut } = mask;
    const shape = [...(kernelSize as [number, number]), featuresIn, featuresOut];
    // A variance of 1 / (inputs seen), of which tfjs would count also those that are masked: gate by gate, what comes in would fade.
    const { values } = getMask(mask);
    const scale = values.length / Math.max(1, values.reduce((sum, value) => sum + value, 0)); // biome-ignore format: one line
    const initializer = initializers.varianceScaling({ scale, mode: 'fanIn', distribution: 'uniform' });
    const kernel = this.addWeight(`${name}_kernel`, shape, 'float32', initializer);
    const bias = useBias
      ? this.addWeight(`${name}_bias`, [featuresOut], 'float32', initializers.zeros())
      : undefined;
    return new MaskedConv(kernel, bias, mask);
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape[] {
    const [, [n, h, w]] = readInputShapes(inputShape);
    const { filters, skipFilters } = this;
    const features = skipFilters === undefined ? [filters, filters] : [filters, filters, skipFilters];
    return features.map((size) => [n, h, w, size]);
  }

  override call(inputs: Tensor | Tensor[], kwargs: Parameters<layers.Layer['call']>[1]): Tensor[] {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      if (this.convs === undefined) throw new Error('GatedPixelCNNBlock: called before it was built');
      const { vertical, horizontal, across, out, skip } = this.convs;
      const [v, h, condition] = (inputs as Tensor[]).map(oneInput) as [Tensor4D, Tensor4D, Tensor?];
      const v2 = vertical.apply(v); // [N,H,W,in] -> [N,H,W,2F]
      const h2: Tensor4D = add(horizontal.apply(h), across.apply(v2)); // [N,H,W,in], [N,H,W,2F] -> [N,H,W,2F]
      const gatedV = this.gate(v2, condition, 0); // [N,H,W,2F] -> [N,H,W,F]
      const gatedH = this.gate(h2, condition, 1);
      const kept =
        kwargs?.['training'] && this.dropout > 0 ? (dropout(gatedH, this.dropout) as Tensor4D) : gatedH;
      const y = out.apply(kept); // [N,H,W,F]
      const outputs = [gatedV, this.maskType === 'A' ? y : add<Tensor4D>(h, y)];
      return skip === null ? outputs : [...outputs, skip.apply(kept)]; // skip [N,H,W,S]
    });
  }

  /** [N,H,W,2F] -> [N,H,W,F], with the condition [N,K] or [N,H,W,K] where there is one. */
  private gate(x: Tensor4D, condition: Tensor | undefined, which: 0 | 1): Tensor4D {
    const conv = this.convs?.condition?.[which];
    if (conv === undefined || condition === undefined) return gate(x, this.imageChannels);
    if (condition.rank === 4) {
      return gate(add(x, conv.apply(condition as Tensor4D)), this.imageChannels); // [N,H,W,K] -> [N,H,W,2F]
    }
    const [n, k] = condition.shape as [number, number];
    const projected = conv.apply(reshape(condition, [n, 1, 1, k])); // [N,1,1,K] -> [N,1,1,2F]
    return gate(x, this.imageChannels, reshape(projected, [n, x.shape[3]]) as Tensor2D);
  }

  /** Built of a program's operations, for incremental sampling. */
  incremental(program: Program, inputs: readonly Features[]): readonly Features[] | null {
    const [v, h, condition] = inputs;
    if (this.convs === undefined || v === undefined || h === undefined) return null;
    const { vertical, horizontal, across, out, skip, condition: projections } = this.convs;
    const gated = (x: Features, which: 0 | 1) => {
      const projection = projections?.[which];
      if (projection === undefined || condition === undefined) return program.gate(x, this.imageChannels);
      return program.gate(program.add(x, projection.incremental(program, condition)), this.imageChannels);
    };
    const v2 = vertical.incremental(program, v);
    const h2 = program.add(horizontal.incremental(program, h), across.incremental(program, v2));
    const gatedH = gated(h2, 1);
    const y = out.incremental(program, gatedH);
    const outputs = [gated(v2, 0), this.maskType === 'A' ? y : program.add(h, y)];
    return skip === null ? outputs : [...outputs, skip.incremental(program, gatedH)];
  }

  override getConfig(): serialization.ConfigDict {
    const { filters, kernelSize, maskType, imageChannels, skipFilters = null, dropout } = this;
    return { ...super.getConfig(), filters, kernelSize, maskType, imageChannels, skipFilters, dropout };
  }

  /** @nocollapse */
  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    return new cls(readSavedConfig(config));
  }

  protected override disposeWeights(): number {
    for (const conv of Object.values(this.convs ?? {}).flat()) (conv as MaskedConv | null)?.dispose();
    return super.disposeWeights();
  }
}
serialization.registerClass(GatedPixelCNNBlock);

/** Makes a {@link GatedPixelCNNBlock}. */
export function gatedPixelCNNBlock(args: GatedPixelCNNBlockArgs): GatedPixelCNNBlock {
  return new GatedPixelCNNBlock(args);
}

type ImageInputShape = ReturnType<typeof imageInputShape>;

/** The shapes of the stacks and of the condition. */
function readInputShapes(inputShape: Shape | Shape[]): [ImageInputShape, ImageInputShape, Shape | undefined] {
  const [vertical, horizontal, condition, ...rest] = inputShape as Shape[];
  const isCondition =
    condition === undefined ||
    ((condition.length === 2 || condition.length === 4) && condition.at(-1) != null);
  if (!Array.isArray(vertical) || !Array.isArray(horizontal) || !isCondition || rest.length > 0) {
    wrong(
      'GatedPixelCNNBlock: inputs',
      '[vertical, horizontal], or with a condition [N,K] or [N,H,W,K]',
      inputShape,
    );
  }
  return [
    imageInputShape('GatedPixelCNNBlock: vertical', vertical),
    imageInputShape('GatedPixelCNNBlock: horizontal', horizontal),
    condition,
  ];
}
