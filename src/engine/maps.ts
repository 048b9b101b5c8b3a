import { type ConditionShape, type ConditionValues, repeatedCondition } from '../core/conditions';
import { type ImageShape, positions } from '../core/images';
import type { KernelWindow } from '../core/window';
import type { makeKernels } from '../kernels/webassembly';
import { asCondition, type MapSize, mapSizes, readsWholeMaps, wholeMaps, withNodes } from '../program/maps';
import {
  type ImageNode,
  operandsOf,
  type PortableModel,
  type ProgramNode,
  withOperands,
} from '../program/program';
import { readinessOf } from '../program/readiness';
import { ONCE, ROW } from '../program/times';
import { compile } from './compile';
import { type GivenCondition, putConditions } from './conditions';
import { Machine } from './machine';
import { type FeatureCache, imagesTogether, Plan } from './plan';

/** The images for which maps are made. */
interface MapArgs {
  readonly numImages: number;
  readonly imageShape: ImageShape;
  readonly conditions: readonly ConditionValues[];
}

/**
 * The conditions of a model, followed by the maps that it computes from them before the image begins, each under its
 * index as a condition (see `asCondition`).
 */
export function withMaps(
  model: PortableModel,
  maps: readonly number[],
  args: MapArgs,
  make: typeof makeKernels,
): readonly GivenCondition[] {
  if (maps.length === 0) return args.conditions;
  const program = { ...model, imageShape: args.imageShape };
  const whole = wholeMaps(program.nodes, maps);
  const maker = new MapMaker(program, new Set(whole), args, make);
  for (const index of whole) maker.makeMap(index);
  return maker.given;
}

/**
 * Computes the whole maps of a program, each once and after the maps that it depends on. It uses the machine that
 * evaluates images, and passes everything known to it as conditions.
 */
class MapMaker {
  /** The model's conditions, followed by the maps of nodes, which are filled in as they are made. */
  readonly given: GivenCondition[];
  /** The kind of each of them. */
  private readonly shapes: readonly ConditionShape[];
  private readonly sizes: readonly (MapSize | null)[];

  constructor(
    private readonly model: PortableModel,
    private readonly whole: ReadonlySet<number>,
    private readonly args: MapArgs,
    private readonly make: typeof makeKernels,
  ) {
    this.given = [...args.conditions];
    this.shapes = withNodes(model);
    this.sizes = mapSizes(model);
  }

  /** Makes the map of a node. */
  makeMap(index: number): void {
    this.given[this.model.conditions.length + index] = this.mapOf(
      index,
      this.model.nodes[index] as ProgramNode,
    );
  }

  private mapOf(index: number, node: ProgramNode): GivenCondition {
    if (node.op === 'enlarge') {
      const { enlarged: [rows, columns] = [1, 1], ...map } = this.known(node.input);
      return { ...map, enlarged: [rows * node.rows, columns * node.columns] };
    }
    if (node.op === 'position') {
      const [height, width] = this.sizeOf(index);
      const one = { shape: [height, width, 2], values: positions(height, width) };
      return repeatedCondition(one, this.args.numImages);
    }
    if (node.op === 'conv' && readsWholeMaps(node)) return this.convolved(index, node);
    if (this.sizes[index] !== null) return this.evaluated(index, node as ImageNode);
    return { ...this.evaluated(index, node as ImageNode), enlarged: [Infinity, Infinity] }; // one place covers the whole image
  }

  /** The known values of a node: a condition of the model, or a map that was made. */
  private known(index: number): GivenCondition {
    const { nodes, conditions } = this.model;
    const node = nodes[index] as ProgramNode;
    return this.given[node.op === 'condition' ? node.index : conditions.length + index] as GivenCondition;
  }

  /** Height and width of a node's map; 1 x 1 if it is the same at every place. */
  private sizeOf(index: number): [height: number, width: number] {
    return (this.sizes[index] ?? [1, 1]) as [number, number];
  }

  /**
   * A convolution that sees rows below, expressed as one that sees only the rows above and the present one, over a map
   * that is followed by this many rows of zeros.
   */
  private convolved(index: number, node: Extract<ProgramNode, { op: 'conv' }>): GivenCondition {
    const { kernelSize, anchor } = node.window;
    const [last, below] = [kernelSize[0] - 1, kernelSize[0] - 1 - anchor[0]];
    const window: KernelWindow = { ...node.window, anchor: [last, anchor[1]], present: 'everything' };
    return this.evaluated(index, { ...node, window }, below);
  }

  /**
   * Computes a node's map from whole maps and conditions, which are extended by `below` rows of zeros; as many rows are
   * dropped from the top of the result.
   */
  private evaluated(index: number, node: ImageNode, below = 0): GivenCondition {
    const { model, given, shapes, make } = this;
    const { numImages } = this.args;
    const [height, width] = this.sizeOf(index);
    const nodes = this.programOf(index, node);
    const plan = new Plan(imagesTogether(numImages), width, 1);
    const program = { nodes, output: nodes.length - 1, weights: model.weights };
    const due = new Array<number>(node.size).fill(ROW);
    const io = compile(plan, height + below, program, readinessOf(nodes, shapes), due);
    const machine = new Machine(plan, numImages, make);
    const conditionOf = Int32Array.from({ length: numImages }, (_, n) => n);
    const values = new Float32Array(numImages * height * width * node.size); // [N,H,W,F]
    for (let row = 0; row < height + below; row++) {
      machine.moveTo(row, 0);
      for (const _ of putConditions(machine, io, given, conditionOf, row));
      if (row === 0) machine.run(ONCE);
      for (const _ of machine.rowInParts(ROW));
      if (row >= below) readRow(machine, io.output, row - below, height, values);
    }
    return { shape: [height, width, node.size], values };
  }

  /** A small program: the image; then the operands of a node, with whole maps as conditions; then the node. */
  private programOf(index: number, node: ImageNode): ImageNode[] {
    const { model, whole } = this;
    const found = new Set([index]);
    for (const one of found) {
      if (one !== index && whole.has(one)) continue;
      for (const operand of operandsOf(model.nodes[one] as ProgramNode)) found.add(operand);
    }
    const inOrder = [0, ...[...found].sort((a, b) => a - b)];
    const indexOf = new Map(inOrder.map((one, at) => [one, at]));
    return inOrder.map((one) => {
      if (one !== index && whole.has(one)) return asCondition(model, one);
      const whatIs = one === index ? node : (model.nodes[one] as ImageNode);
      return withOperands(whatIs, (operand) => indexOf.get(operand) as number);
    });
  }
}

/** Copies the present row of a machine's features into maps [N,H,W,F]. */
function readRow(
  { heap, chunks, width }: Machine,
  features: FeatureCache,
  row: number,
  height: number,
  maps: Float32Array,
): void {
  const { slotOf } = features.layout;
  const operand = features.operand();
  const { stride, columnStride = 0 } = operand;
  for (const { first, images, at } of chunks) {
    for (let n = 0; n < images; n++) {
      for (let column = 0; column < width; column++) {
        const from = at(operand) + n * stride + column * columnStride;
        const to = (((first + n) * height + row) * width + column) * slotOf.length;
        for (const [f, slot] of slotOf.entries()) maps[to + f] = heap[from + slot] as number;
      }
    }
  }
}
