// Types of what the tests import and no package types: examples and scripts are plain JavaScript.

declare module 'pngjs' {
  export class PNG {
    constructor(size: { width: number; height: number });
    width: number;
    height: number;
    data: Buffer;
    static sync: {
      read(png: Uint8Array, options?: { skipRescale?: boolean }): PNG;
      write(
        png: { width: number; height: number; data: Uint8Array },
        options?: { colorType?: number; inputColorType?: number; bitDepth?: number },
      ): Buffer;
    };
  }
}

declare module '*/examples/lib/backend.mjs' {
  export function useBackend(name: string): Promise<void>;
}

declare module '*/examples/lib/baselines.mjs' {
  export function uniformBits(levels: number): number;
  export function histogramBits(
    train: ArrayLike<number>,
    test: ArrayLike<number>,
    levels: number,
    channels?: number,
  ): number;
  export function histogramBitsByChannel(
    train: ArrayLike<number>,
    test: ArrayLike<number>,
    levels: number,
    channels: number,
  ): number[];
}

declare module '*/examples/lib/chart.mjs' {
  export function lineChart(args: {
    title: string;
    xTitle: string;
    yTitle: string;
    xScale?: 'linear' | 'log';
    lines: { name: string; points: { x: number; y: number }[]; hasMarks?: boolean }[];
    rules?: { name: string; y: number }[];
  }): Promise<string>;
  export function histogramChart(
    histograms: { title: string; xTitle: string; groups: { name: string; values: number[] }[] }[],
  ): Promise<string>;
}

declare module '*/examples/lib/channel-bits.mjs' {
  import type { LayersModel } from '@tensorflow/tfjs-layers';
  import type { ImageSet } from 'pixelcnn-layers/data';
  export function bitsByChannel(
    model: LayersModel,
    set: ImageSet,
    options: { batchSize: number; onProgress?: (done: number) => void },
  ): Promise<number[]>;
}

declare module '*/examples/lib/checkpoints.mjs' {
  interface Checkpoint {
    step: number;
    // biome-ignore lint/suspicious/noExplicitAny: whatever was saved
    state: any;
    directory: string;
  }
  export function checkpoints(directory: string): {
    save(
      step: number,
      state: unknown,
      write: (directory: string) => Promise<unknown>,
      options?: { isBest?: boolean },
    ): Promise<void>;
    latest(): Promise<Checkpoint | null>;
    best(): Promise<Checkpoint | null>;
  };
}

declare module '*/examples/lib/classes.mjs' {
  import type { ImageSet } from 'pixelcnn-layers/data';
  export function classesOf(dataset: { name: string; train: ImageSet; test: ImageSet }): number;
}

declare module '*/examples/lib/pick-images.mjs' {
  import type { ImageSet } from 'pixelcnn-layers/data';
  export function pickImages(set: ImageSet, indices: number[]): ImageSet;
}

declare module '*/examples/lib/progress.mjs' {
  interface Bar {
    start(total: number, value: number, own?: object): void;
    update(value: number, own?: object): void;
    stop(): void;
  }
  export function progressBar(
    format: string,
    options?: { stream?: NodeJS.WriteStream; barsize?: number },
  ): Bar;
  export function trainingProgress(
    steps: number,
    done?: number,
    unit?: string,
  ): { update(step: number, loss: number): void; stop(): void };
  export function clock(seconds: number): string;
}

declare module '*/examples/lib/classify.mjs' {
  import type { AutoregressiveModel } from 'pixelcnn-layers';
  import type { ImageSet } from 'pixelcnn-layers/data';
  export function mostLikelyClasses(
    model: AutoregressiveModel,
    set: ImageSet,
    options: { batchSize: number; onProgress?: (done: number) => void },
  ): Promise<number[]>;
  export function rightByClass(
    labels: ArrayLike<number>,
    found: number[],
    numClasses: number,
  ): { images: number; right: number }[];
}

declare module '*/examples/lib/curve.mjs' {
  export function trainingCurve(args: {
    title: string;
    metrics: { step: number; trainBits: number; testBits?: number; validationBits?: number }[];
    rules?: { name: string; y: number }[];
  }): Promise<string>;
}

declare module '*/examples/lib/datasets.mjs' {
  import type { ImageSet } from 'pixelcnn-layers/data';
  export const DATASETS: string[];
  export function readDataset(
    name: string,
    options?: { path?: string | undefined; levels?: number; hasPalette?: boolean },
  ): Promise<{ name: string; train: ImageSet; test: ImageSet; validation?: ImageSet; about: string }>;
}

declare module '*/examples/lib/digits.mjs' {
  export const LEVELS: number;
  export function readDigits(part: 'train' | 'test'): Promise<{ images: Uint8Array; labels: Uint8Array }>;
}

declare module '*/examples/lib/file-names.mjs' {
  export function isPortableName(name: unknown): name is string;
  export function sameNameKey(name: string): string;
  export function quoted(name: string): string;
}
declare module '*/examples/lib/files.mjs' {
  export function writeWhole(path: string, contents: string | Uint8Array): Promise<void>;
  export function prepareFile(path: string, flag?: string): Promise<void>;
  export function sweep(directory: string, isLeft: (name: string, pid: number) => boolean): Promise<void>;
}

declare module '*/examples/lib/orientations.mjs' {
  import type { LayersModel } from '@tensorflow/tfjs-layers';
  import type { SymmetricModel, Symmetry } from 'pixelcnn-layers';
  import type { ImageSet } from 'pixelcnn-layers/data';

  export const SYMMETRIES: Record<4 | 8, Symmetry[]>;
  export function inAllOrientations(
    network: LayersModel,
    run: { orientations?: 4 | 8 },
  ): SymmetricModel | undefined;
  export function inOrientations(
    set: ImageSet,
    orientations: SymmetricModel | undefined,
    run: { isConditional: boolean },
  ): Promise<ImageSet>;
}

declare module '*/examples/lib/palette.mjs' {
  import type { ImageSet } from 'pixelcnn-layers/data';
  export function toPalette(images: ImageSet, palette: Uint8Array): ImageSet;
  export function fromPalette(images: ImageSet, palette: Uint8Array): ImageSet;
  export function nearestLevel(palette: Uint8Array, colour: readonly number[]): number;
  export function lossOf(images: ImageSet, palette: Uint8Array): { mse: number; psnr: number };
  export function textOfPalette(palette: Uint8Array): string;
  export function paletteOfText(what: string, text: unknown): Uint8Array;
}

declare module '*/examples/lib/choose-palette.mjs' {
  import type { ImageSet } from 'pixelcnn-layers/data';
  export function choosePalette(images: ImageSet, levels: number, options?: { seed?: number }): Uint8Array;
}

declare module '*/examples/lib/ising.mjs' {
  import type { Energy } from 'pixelcnn-layers/runtime';
  export const CRITICAL: number;
  export const SYMMETRIES: ('flipLevels' | 'flipRows' | 'flipColumns' | 'transpose')[];
  export function energyOf(size: number, bonds?: readonly number[]): Energy;
  export function magnetizationsOf(levels: ArrayLike<number>, numImages: number): Float64Array;
  export function freeEnergyOf(logZ: number, size: number, beta: number): number;
  export function endlessMagnetization(beta: number): number;
  export function exactLogZ(size: number, beta: number): number;
}

declare module '*/examples/lib/glass.mjs' {
  import type { Energy } from 'pixelcnn-layers/runtime';
  export function glassBonds(size: number, seed: number): number[];
  export function summedLogZ(energy: Energy, size: number, beta: number): number;
}

declare module '*/examples/lib/look.mjs' {
  interface Kind {
    channels: number;
    levels: number;
    palette?: Uint8Array;
  }
  type Look = (data: ArrayLike<number>, pixel: number) => number[];
  export function isInk(kind: Kind): boolean;
  export function lookOf(kind: Kind, tint?: { paper: number[]; ink: number[] }): Look;
  export function colourOf(kind: Kind): Look;
}

declare module '*/examples/lib/model-data.mjs' {
  import type { ImageSet } from 'pixelcnn-layers/data';

  interface Levels {
    levels: number;
    palette?: Uint8Array;
  }
  interface Dataset {
    name: string;
    train: ImageSet;
    test: ImageSet;
  }
  export function readForModel(
    name: string,
    path: string | undefined,
    model: Levels & { imageShape: readonly (number | null)[] },
  ): Promise<Dataset>;
  export function inLevels(set: ImageSet, model: Levels): ImageSet;
}

declare module '*/examples/lib/pick-images.mjs' {
  import type { ImageSet } from 'pixelcnn-layers/data';
  export function pickImages(set: ImageSet, indices: number[]): ImageSet;
}

declare module '*/examples/lib/auroc.mjs' {
  export function auroc(first: ArrayLike<number>, second: ArrayLike<number>): number;
  export function aurocError(area: number, first: number, second: number): number;
}

declare module '*/examples/lib/hold-out.mjs' {
  import type { ImageSet } from 'pixelcnn-layers/data';
  export function holdOut(set: ImageSet, count: number): [ImageSet, ImageSet | undefined];
}

declare module '*/examples/lib/joined-weights.mjs' {
  import type { NamedTensor } from 'pixelcnn-layers/weights';
  export function joinedWeights(
    tensors: ReadonlyMap<string, NamedTensor>,
    weights: ReadonlyMap<string, NamedTensor>,
  ): Map<string, { name: string; words: string }>;
}
declare module '*/examples/lib/guess-weights.mjs' {
  import type { NamedTensor } from 'pixelcnn-layers/weights';
  export interface Guess {
    name: string;
    weight: string;
    layout: string;
    order: number[];
    others: string[];
    isNarrower: boolean;
    isSure: boolean;
  }
  export function guessWeights(
    tensors: ReadonlyMap<string, NamedTensor>,
    weights: ReadonlyMap<string, NamedTensor>,
    usual: 'keras' | 'pytorch',
  ): { guesses: Guess[]; from: 'keras' | 'pytorch' };
}

declare module '*/examples/lib/state-dict.mjs' {
  import type { NamedTensor } from 'pixelcnn-layers/weights';
  export function nameForLoading(name: string): string | undefined;
  export function reasonToSkip(name: string, tensors: ReadonlyMap<string, NamedTensor>): string | null;
}

declare module '*/examples/lib/keras-h5.mjs' {
  import type { NamedTensor } from 'pixelcnn-layers/weights';
  export function readKerasH5(
    bytes: Uint8Array,
    options: { mostBytes: number; config?: object; mostSeconds?: number },
  ): Promise<Map<string, NamedTensor>>;
}

declare module '*/examples/lib/pytorch-run.mjs' {
  import type { AutoregressiveModel } from 'pixelcnn-layers';
  export function loadPyTorchRun(directory: string): Promise<AutoregressiveModel>;
}

declare module '*/examples/lib/npy.mjs' {
  import type { NamedTensor } from 'pixelcnn-layers/weights';
  export function parseNpy(bytes: Uint8Array): { data: ArrayLike<number>; shape: number[] };
  export function npyTensor(bytes: Uint8Array): NamedTensor;
  export function npyOf(data: Uint8Array | Uint16Array | Float32Array, shape: readonly number[]): Uint8Array;
  export function npyHeader(type: 'u1' | 'u2' | 'f4' | 'f8', shape: readonly number[]): Uint8Array;
}

declare module '*/examples/lib/run-lock.mjs' {
  export function lockRun(directory: string): () => void;
}

declare module '*/examples/lib/run-log.mjs' {
  export function openRunLog(
    directory: string,
    args: {
      title: string;
      step: number;
      isResumed: boolean;
      judge: 'test' | 'validation';
      rules: { name: string; y: number }[];
    },
  ): Promise<{ close(): Promise<void> }>;
}

declare module '*/examples/lib/png-levels.mjs' {
  export function levelsOfPng(
    bytes: Uint8Array,
    channels: number,
    levels: number,
    palette?: Uint8Array,
  ): { shape: [number, number, number]; data: Uint8Array | Uint16Array };
  export function pngOfLevels(
    image: ArrayLike<number>,
    shape: number[],
    levels: number,
    palette?: Uint8Array,
  ): Buffer;
}

declare module '*/examples/lib/png.mjs' {
  export function gridPng(args: {
    images: ArrayLike<number>;
    known?: ArrayLike<number>;
    imageShape: number[];
    levels: number;
    palette?: Uint8Array;
    columns: number;
    scale?: number;
    gap?: number;
  }): Buffer;
  export function smallestPng(args: { images: Uint8Array | Uint16Array; imageShape: number[] }): Buffer;
}

declare module '*/examples/lib/saved-model.mjs' {
  import type { LayersModel } from '@tensorflow/tfjs-layers';
  import type { ConditionShape, SymmetricModel } from 'pixelcnn-layers';
  export function loadImageModel(directory: string): Promise<{
    model: LayersModel;
    imageShape: (number | null)[];
    levels: number;
    condition: ConditionShape | null;
    palette?: Uint8Array;
    orientations?: SymmetricModel;
  }>;
  export function loadPortable(path: string): Promise<import('pixelcnn-layers/runtime').PortableModel>;
}

declare module '*/examples/lib/tensorboard.mjs' {
  export function openEventFile(
    directory: string,
    options?: { step?: number },
  ): {
    scalar(tag: string, value: number, step: number): void;
    image(
      tag: string,
      png: Uint8Array,
      size: { width: number; height: number; channels: number },
      step: number,
    ): void;
    close(): void;
  };
}

declare module '*/examples/lib/weights.mjs' {
  import type { LayersModel } from '@tensorflow/tfjs-layers';
  export function seedWeights(model: LayersModel, seed: number): void;
}

declare module '*/evaluation.mjs' {
  export function checkWeights(model: import('@tensorflow/tfjs-layers').LayersModel): Promise<void>;
}

declare module '*/examples/lib/mask-plot.mjs' {
  export const TAP: Record<'used' | 'hidden' | 'centreUsed' | 'centreHidden', string>;
}

declare module '*/examples/lib/heat-map.mjs' {
  import type { LayersModel } from '@tensorflow/tfjs-layers';
  import type { ImageSet } from 'pixelcnn-layers/data';
  export function bitsByPixel(model: LayersModel, set: ImageSet): Promise<Float32Array>;
  export function heatColour(share: number): string;
}

declare module '*/examples/demo/mask-explorer/mask.mjs' {
  export type Stack = 'plain' | 'horizontal' | 'vertical';
  export interface Mask {
    rows: number;
    columns: number;
    values: ArrayLike<number>;
  }
  export function maskOf(stack: Stack, maskType: 'A' | 'B', size: number): Mask;
}

declare module '*/examples/demo/mask-explorer/mask-words.mjs' {
  import type { Mask, Stack } from '*/examples/demo/mask-explorer/mask.mjs';
  export function weightWords(mask: Mask, stack: Stack, row: number, column: number): string;
}

declare module '*/examples/demo/mask-explorer/field.mjs' {
  interface Place {
    row: number;
    column: number;
  }
  interface Size {
    height: number;
    width: number;
  }
  export function layersToSee(isGated: boolean, numLayers: number, place: Place, size: Size): Uint8Array;
  export function kindsOf(found: Uint8Array, numLayers: number, place: Place, size: Size): string[];
}

declare module '*/examples/tiles/art.mjs' {
  export function shapesOf(
    map: ArrayLike<number>,
  ): { x: number; y: number; width: number; height: number; fill: string }[];
}

declare module '*/examples/tiles/connected.mjs' {
  import type { Adjust, Potential } from 'pixelcnn-layers/runtime';
  export function isConnected(
    map: ArrayLike<number>,
    from: number,
    to: number,
    shape?: readonly [height: number, width: number],
  ): boolean;
  export function connection(from: number, to: number): Potential;
  export function towards(potential: Potential): Adjust;
}

declare module '*/examples/tiles/generator.mjs' {
  export function makeMaps(count: number, seed: number): Uint8Array;
}

declare module '*/examples/tiles/rules.mjs' {
  export const RULES: Record<string, string>;
  export function brokenRules(map: ArrayLike<number>): { rule: string; places: number[] }[];
}

declare module '*/examples/tiles/tiles.mjs' {
  export const NAMES: string[];
  export function mapsOf(tiles: Uint8Array | Int32Array | Uint16Array): Uint8Array[];
  export function turned(map: Uint8Array, orientation: number): Uint8Array;
  export function turnedBack(map: Uint8Array, orientation: number): Uint8Array;
}

declare module '*/examples/vq/adam.mjs' {
  import type { AdamOptimizer, io } from '@tensorflow/tfjs-core';
  import type { LayersModel } from '@tensorflow/tfjs-layers';
  export function adam(rate: number): AdamOptimizer;
  export function restorePowers(optimizer: AdamOptimizer): void;
  export function saveWithOptimizer(model: LayersModel, handler: io.IOHandler): Promise<void>;
}

declare module '*/examples/vq/codebook.mjs' {
  import type { Scalar, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
  import { layers } from '@tensorflow/tfjs-layers';
  export class Codebook extends layers.Layer {
    constructor(args: { numEntries: number; decay: number; name?: string });
    quantize(vectors: Tensor4D): Tensor4D;
    distance(vectors: Tensor4D): Scalar;
    codesOf(vectors: Tensor4D): Tensor3D;
    lookUp(codes: Tensor3D): Tensor4D;
    update(vectors: Tensor4D): void;
    revive(vectors: Tensor4D, random: () => number): Promise<number>;
  }
}

declare module '*/examples/vq/figures.mjs' {
  import type { ImageSet } from 'pixelcnn-layers/data';
  export function reconstructionError(
    images: ImageSet,
    reconstructed: ArrayLike<number>,
  ): { rms: number; unexplained: number };
  export function codebookUse(codes: ImageSet): { used: number; perplexity: number };
  export function baselines(train: ImageSet, test: ImageSet): Record<string, number>;
}

declare module '*/examples/vq/wasm-gradients.mjs' {
  export function useWasmGradients(): void;
}

declare module '*/scripts/drawing-figure.mjs' {
  export function drawingSvg(): Promise<string>;
}

declare module '*/scripts/magnetization-figure.mjs' {
  export function magnetizationSvg(): string;
}

declare module '*/scripts/nats-figure.mjs' {
  export function natsSvg(): Promise<string>;
}

declare module '*/scripts/particles-figure.mjs' {
  export function particlesSvg(): string;
}

declare module '*/scripts/block-figures.mjs' {
  export const BLOCK_FIGURES: Record<string, () => Promise<string>>;
}

declare module '*/scripts/lib/diagram.mjs' {
  import type { ProgramNode } from 'pixelcnn-layers';
  export function isTapSeen(
    window: Extract<ProgramNode, { op: 'conv' }>['window'],
    row: number,
    column: number,
  ): boolean;
  export function diagram(args: {
    title: string;
    width: number;
    height: number;
    nodes: Record<string, { kind: string; label?: string; inputs: string[] }>;
    places: Record<string, [number, number]>;
    routes?: Record<string, object>;
  }): string;
}

declare module '*/scripts/plus-plus-figure.mjs' {
  import type { LayersModel } from '@tensorflow/tfjs-layers';
  export function networkSvg(model: LayersModel): string;
  export function plusPlusSvg(): string;
}

declare module '*/examples/cluster/lib/job.mjs' {
  export const VERSION: string;
  export function checkJob(job: unknown): object;
}

declare module '*/examples/cluster/lib/redis.mjs' {
  import type { Redis } from 'ioredis';
  export function connect(url: string, say: (line: string) => void): Promise<Redis>;
  export function fetchModel(redis: Redis, digest: string): Promise<Uint8Array>;
  export function offerModel(redis: Redis, digest: string, bytes: Buffer): Promise<void>;
  export function putResult(redis: Redis, jobId: string, bytes: Buffer): Promise<unknown>;
  export function sha256(bytes: Uint8Array): string;
}

declare module '*/examples/cluster/lib/serve.mjs' {
  import type { Redis } from 'ioredis';
  import type { Pool } from 'pixelcnn-layers/runtime';
  export function serve(args: {
    redis: Redis;
    queue: string;
    name: string;
    pool: Pick<Pool, 'sample' | 'logProb'>;
    lockSeconds: number;
    signal: AbortSignal;
    say: (line: string) => void;
  }): Promise<void>;
}

declare module '*/examples/demo/panels/inside.mjs' {
  export const SHOWN: { model: string; condition?: number; picture: string; pixel: number };
}

declare module '*/examples/demo/worker/inside.mjs' {
  import type { PortableModel } from 'pixelcnn-layers/runtime';
  export function numbersOf(model: PortableModel, condition?: number): ArrayLike<number | undefined>;
}

declare module '*/examples/demo/worker/models.mjs' {
  import type { PortableModel } from 'pixelcnn-layers/runtime';
  export function conditionOf(
    model: PortableModel,
    classes?: number | number[],
  ): { condition?: number | number[] | { data: number[]; shape: [number, number] } };
}

declare module '*/examples/demo/worker/evaluator.mjs' {
  import type { PortableModel } from 'pixelcnn-layers/runtime';
  export function evaluator(
    model: PortableModel,
    image: ArrayLike<number>,
    condition: ArrayLike<number | undefined>,
  ): { at(node: number, place: number): number[]; values: number[][][] };
  export function softmax(logits: ArrayLike<number>): number[];
}

declare module '*/examples/demo/parts/gated-layers.mjs' {
  import type { PortableModel } from 'pixelcnn-layers/runtime';
  export interface Layer {
    kind: string;
    node: number;
    size: number;
    inputs: number[];
    title: string;
  }
  export function layersOf(model: Pick<PortableModel, 'nodes' | 'output'>): Layer[];
}

declare module '*/examples/demo/parts/layer-detail.mjs' {
  import type { PortableModel } from 'pixelcnn-layers/runtime';
  export function tapsOf(
    net: Pick<PortableModel, 'nodes' | 'weights'> & { values: number[][][]; width: number; pixel: number },
    node: number,
    channel: number,
  ): { weight: number; value: number; product: number; isSeen: boolean }[][];
}

declare module '*/examples/demo/panels/magnet.mjs' {
  export const TEMPERATURES: number[];
  export function meanOf(values: Float64Array): { mean: number; error: number };
  export function countsOf(magnetizations: ArrayLike<number>): number[];
}

declare module '*/examples/demo/parts/networks.mjs' {
  export interface RunSettings {
    set: string;
    shape: [number, number, number];
    levels: number;
    networks: ('plain' | 'gated')[];
    width: number;
    depth: number;
  }
  export function weightsOf(network: 'plain' | 'gated', settings: Partial<RunSettings>): string;
}

declare module '*/examples/demo/parts/shifted.mjs' {
  export function shifted(drawings: string[], side: number, isMirrored: boolean): Uint8Array;
}

declare module '*/examples/demo/worker/bits.mjs' {
  export function unpackBits(bytes: Uint8Array): Uint8Array;
  export function packBits(pixels: ArrayLike<number>): Uint8Array;
}

declare module '*/examples/demo/worker/network.mjs' {
  import type { AutoregressiveModel } from 'pixelcnn-layers';
  export interface Trained {
    model: AutoregressiveModel;
  }
  export function newNetwork(
    network: 'plain' | 'gated',
    settings: { shape: [number, number, number]; levels: number; width: number; depth: number },
  ): Trained;
  export function disposeNetwork(network: Trained): void;
}

declare module '*/examples/demo/parts/die-strip.mjs' {
  export function levelAt(chances: ArrayLike<number>, share: number): number;
}

declare module '*/examples/lib/turned.mjs' {
  export function turned<Images extends { data: Uint8Array | Uint16Array; shape: readonly number[] }>(
    images: Images,
    element: number,
  ): Images;
}

declare module '*/examples/demo/parts/directions.mjs' {
  export function directionsFor(known: Uint8Array, side: number, orders: readonly number[]): string[];
}

declare module '*/examples/demo/parts/levels-text.mjs' {
  export function textOfLevels(values: number[]): string;
  export function levelsOfText(text: string, limits: { levels: number; size: number }): number[] | null;
}

declare module '*/examples/demo/parts/odds.mjs' {
  export function oddsOf(bits: number): string;
  export function percent(chance: number): string;
  export function shadeName(level: number, kind: { levels: number }): string;
}

declare module '*/examples/demo/parts/random.mjs' {
  export function randomOf(seed: number): () => number;
}

declare module '*/examples/demo/parts/sampling-state.mjs' {
  export interface SamplingState {
    model: string;
    group: string;
    rows: number;
    seed: number;
    temperature: number;
    topK: number;
  }
  export const SAMPLED: string[];
  export function firstState(model?: string): SamplingState;
  export function drawingOf(state: SamplingState): {
    model: string;
    numImages: number;
    classes?: number[];
    seed: number;
    temperature: number;
    topK?: number;
  };
  export function queryOf(state: SamplingState): Record<string, string | number>;
  export function readState(query: Map<string, string>): { state: SamplingState; complaints: string[] };
}

declare module '*/scripts/lib/packed-programs.mjs' {
  export function bareImport(module: string): string;
  export const ROUND_TRIP: string;
  export const ONE_COPY: string;
  export const LOSS_NAMES: string;
  export const TYPES: string;
  export const RUNTIME_TYPES: string;
}

declare module '*/scripts/lib/recipes.mjs' {
  export interface Recipe {
    name: string;
    program: string;
    settings: Record<string, unknown>;
    figure: string;
    hours?: number;
  }
  export const PUBLISHED: { data: string; network: string; model?: string; figure: string }[];
  export function readRecipes(): Promise<Recipe[]>;
  export function recipeOf(run: {
    name: string;
    settings: Record<string, unknown>;
    lines: Record<string, number>[];
  }): Recipe;
  export function flagsOf(settings: Record<string, unknown>, program: Recipe['program']): string[];
  export function commandsOf(
    recipe: Recipe,
    options: { out: string; path?: string; isBegun: boolean },
  ): [string, string[]][];
}

declare module '*/scripts/lib/versions.mjs' {
  export const VERSIONS: Record<string, RegExp>;
}

declare module '*/scripts/lib/quick-start.mjs' {
  export function checkedQuickStart(): string;
}

declare module '*/examples/lib/flags.mjs' {
  /** The options of `parseArgs`. */
  export function parseFlags(
    options: Record<string, { type: 'string' | 'boolean'; default?: string | boolean }>,
    help: string,
    argv: string[],
  ): Record<string, unknown>;
}
declare module '*/examples/lib/checkpoint-flags.mjs' {
  export function readCheckpointFlags(argv: string[]): unknown;
}
declare module '*/examples/lib/convert-flags.mjs' {
  export function readConvertFlags(argv: string[]): unknown;
}
declare module '*/examples/lib/evaluate-flags.mjs' {
  export function readEvaluateFlags(argv: string[]): unknown;
}
declare module '*/examples/lib/quickstart-flags.mjs' {
  export function readQuickstartFlags(argv: string[]): unknown;
}
declare module '*/examples/lib/sample-flags.mjs' {
  export function readSampleFlags(argv: string[]): unknown;
}
declare module '*/examples/lib/train-flags.mjs' {
  export function readTrainFlags(argv: string[]): { run?: object };
}
declare module '*/examples/vq/flags.mjs' {
  export function readFlags(argv: string[]): unknown;
}
declare module '*/examples/cluster/lib/submit-flags.mjs' {
  export function readSubmitFlags(argv: string[]): unknown;
}
declare module '*/examples/demo/parts/address-state.mjs' {
  export interface AddressReader {
    complaint: string;
  }
  export function addressReader(query: Map<string, string>): AddressReader;
}
declare module '*/examples/demo/parts/image-state.mjs' {
  import type { AddressReader } from '*/examples/demo/parts/address-state.mjs';

  interface Image {
    name: string;
    number: number | null;
    condition: number | null;
  }
  export function queryOfImage(image: Image & { levels: Uint8Array }): Record<string, string | number> | null;
  export function readImageState(
    address: AddressReader,
    sets: string[],
  ): Promise<Image & { levels: Uint8Array | null }>;
}

declare module '*/examples/demo/catalogue.mjs' {
  export interface Entry {
    title: string;
    note: string;
    shape: number[];
    levels: number;
    numClasses: number | null;
    testBits: number | null;
    usualRatio: [number, number] | null;
  }
  export const MODELS: Record<string, Entry>;
}

declare module '*/examples/demo/model-figures.mjs' {
  export const FIGURES: Record<string, { testBits?: number; usualRatio?: number[]; nats?: number }>;
}
