import { type ConditionShape, type ConditionValues, repeated } from '../core/conditions';
import { type ImageShape, positions } from '../core/images';
import type { Window } from '../core/window';
import type { SamplingKernels } from '../kernels/instruction';
import { asCondition, type MapSize, mapSizes, readsWholeMaps, withNodes } from '../program/maps';
import type { ImageNode, Node, PortableModel } from '../program/program';
import { ONCE, ROW, readinessOf } from '../program/readiness';
import { compile } from './compile';
import { type GivenCondition, putConditions } from './conditions';
import { Machine } from './machine';
import { type FeatureCache, imagesTogether, Plan } from './plan';

/** What maps are made for. */
interface MapArgs {
  readonly numImages: number;
  readonly imageShape: ImageShape;
  readonly conditions: readonly ConditionValues[];
  readonly closures: readonly ((x: number) => number)[];
}

/**
 * The conditions of a model, and the maps that it makes of them before the image begins, each by its index as one (see
 * `asCondition`).
 */
export function withMaps(
  model: PortableModel,
  maps: readonly number[],
  args: MapArgs,
  make: (floats: number) => SamplingKernels,
): readonly GivenCondition[] {
  const maker = new MapMaker({ ...model, imageShape: args.imageShape }, args, make);
  for (const node of maps) maker.mapOf(node);
  return maker.given;
}

/**
 * Makes the maps of a program, each once, and whole before those that are made of it: by the machine that evaluates
 * images, to which all that is known is a condition.
 */
class MapMaker {
  /** The model's conditions; maps of nodes, whose indices follow, are there once they are made. */
  readonly given: GivenCondition[];
  /** What each of them is. */
  private readonly shapes: readonly ConditionShape[];
  private readonly sizes: readonly (MapSize | null)[];

  constructor(
    private readonly model: PortableModel,
    private readonly args: MapArgs,
    private readonly make: (floats: number) => SamplingKernels,
  ) {
    this.given = [...args.conditions];
    this.shapes = withNodes(model);
    this.sizes = mapSizes(model);
  }

  /** The map of a node. */
  mapOf(index: number): GivenCondition {
    const node = this.model.nodes[index] as Node;
    const at = this.model.conditions.length + index;
    this.given[at] ??=
      node.op === 'condition' ? (this.given[node.index] as GivenCondition) : this.makeMap(index, node);
    return this.given[at];
  }

  private makeMap(index: number, node: Node): GivenCondition {
    if (node.op === 'enlarge') {
      const { enlarged: [rows, columns] = [1, 1], ...map } = this.mapOf(node.input);
      return { ...map, enlarged: [rows * node.rows, columns * node.columns] };
    }
    if (node.op === 'position') {
      const [height, width] = this.sizeOf(index);
      const one = { shape: [height, width, 2], values: positions(height, width) };
      return repeated(one, this.args.numImages);
    }
    if (node.op === 'conv' && readsWholeMaps(node)) return this.convolved(index, node);
    return this.evaluated(index, node as ImageNode, (earlier) =>
      readsWholeMaps(this.model.nodes[earlier] as Node),
    );
  }

  /** Height and width of a node's map. */
  private sizeOf(index: number): [height: number, width: number] {
    return this.sizes[index] as [number, number];
  }

  /**
   * A convolution that sees rows below: the one of the rows above and the present one, over a map that so many rows of zeros
   * follow.
   */
  private convolved(index: number, node: Extract<Node, { op: 'conv' }>): GivenCondition {
    const { kernelSize, anchor } = node.window;
    const [last, below] = [kernelSize[0] - 1, kernelSize[0] - 1 - anchor[0]];
    const window: Window = { ...node.window, anchor: [last, anchor[1]], present: 'everything' };
    return this.evaluated(index, { ...node, window }, () => true, below);
  }

  /**
   * A node's map, where earlier nodes are conditions if they are given; `below` rows of zeros follow these, and as many
   * rows that come first are left out.
   */
  private evaluated(
    index: number,
    node: ImageNode,
    isGiven: (earlier: number) => boolean,
    below = 0,
  ): GivenCondition {
    const { model, given, shapes, make } = this;
    const { numImages, closures } = this.args;
    const [height, width] = this.sizeOf(index);
    const nodes = model.nodes.slice(0, index).map((earlier, i) => {
      return i > 0 && isGiven(i) ? asCondition(model, i) : (earlier as ImageNode);
    });
    nodes.push(node);
    const plan = new Plan(imagesTogether(numImages), width, 1);
    const program = { nodes, output: index, weights: model.weights, closures };
    const io = compile(plan, height + below, program, readinessOf(nodes, shapes));
    for (const { index: condition } of io.conditions)
      if (condition >= model.conditions.length) this.mapOf(condition - model.conditions.length);
    const machine = new Machine(plan, numImages, make);
    const conditionOf = Int32Array.from({ length: numImages }, (_, n) => n);
    const values = new Float32Array(numImages * height * width * node.size); // [N,H,W,F]
    for (let row = 0; row < height + below; row++) {
      machine.moveTo(row, 0);
      putConditions(machine, io, given, conditionOf, row);
      if (row === 0) machine.run(ONCE);
      machine.runRow(ROW);
      if (row >= below) readRow(machine, io.output, row - below, height, values);
    }
    return { shape: [height, width, node.size], values };
  }
}

/** Reads the present row of features that a machine has made into maps [N,H,W,F]. */
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
