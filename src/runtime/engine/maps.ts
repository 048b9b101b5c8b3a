import { type ConditionValues, repeatedCondition } from '../core/conditions';
import { type ImageShape, positions } from '../core/images';
import { dilationWithin, type KernelWindow } from '../core/window';
import type { makeKernels } from '../kernels/webassembly';
import { mapAsCondition, mapSizes, readsWholeMaps, wholeMaps, withNodes } from '../program/maps';
import {
  type ImageNode,
  operandsOf,
  type PortableModel,
  type ProgramNode,
  withOperands,
} from '../program/program';
import { readinessOf } from '../program/readiness';
import { ROW } from '../program/times';
import { compile } from './compile';
import { beginRow, finish, type GivenCondition } from './conditions';
import { Machine } from './machine';
import { type FeatureCache, imagesTogether, Plan } from './plan';

/**
 * The conditions of a model, followed by the maps that it computes from them before the image begins, each
 * under its index as a condition (see `mapAsCondition`). Each map is computed once, after the maps that it
 * depends on, by the machine that evaluates images, which reads known maps as conditions.
 */
export function withMaps(
  portable: PortableModel,
  maps: readonly number[],
  numImages: number,
  imageShape: ImageShape,
  conditions: readonly ConditionValues[],
  make: typeof makeKernels,
): readonly GivenCondition[] {
  if (maps.length === 0) return conditions;
  const model = { ...portable, imageShape };
  const { nodes } = model;
  const order = wholeMaps(nodes, maps);
  const whole = new Set(order);
  const sizes = mapSizes(model);
  const shapes = withNodes(model);
  const given: GivenCondition[] = [...conditions];
  for (const index of order) given[model.conditions.length + index] = mapOf(index);
  return given;

  function mapOf(index: number): GivenCondition {
    const node = nodes[index] as ProgramNode;
    if (node.op === 'upsample') {
      const { input, rows, columns, spread } = node;
      const of = nodes[input] as ProgramNode;
      const known = given[
        of.op === 'condition' ? of.index : model.conditions.length + input
      ] as GivenCondition;
      if (spread) return spreadMap(known, sizeOf(index), node);
      const { enlarged = [1, 1], ...map } = known;
      return { ...map, enlarged: [rows * enlarged[0], columns * enlarged[1]] };
    }
    if (node.op === 'position') {
      const [height, width] = sizeOf(index);
      return repeatedCondition({ shape: [height, width, 2], values: positions(height, width) }, numImages);
    }
    if (node.op === 'conv' && readsWholeMaps(node)) {
      // A convolution that sees rows below equals one that sees only rows above and the current
      // one, shifted down, over a map extended by this many rows of zeros.
      const { kernelSize, anchor } = node.window;
      const last = kernelSize[0] - 1;
      const dilation = dilationWithin(node.window, ...sizeOf(index));
      const below = (last - anchor[0]) * dilation[0];
      const window: KernelWindow = {
        ...node.window,
        anchor: [last, anchor[1]],
        present: 'everything',
        dilation,
      };
      return evaluated(index, { ...node, window }, below);
    }
    const map = evaluated(index, node as ImageNode);
    return sizes[index] !== undefined ? map : { ...map, enlarged: [Infinity, Infinity] }; // its one place covers the whole image
  }

  /** Height and width of a node's map; 1 x 1 if it is the same at every place. */
  function sizeOf(index: number) {
    return (sizes[index] ?? [1, 1]) as [height: number, width: number];
  }

  /** Computes a node's map, of conditions extended by `below` rows of zeros, without as many rows at the top. */
  function evaluated(index: number, node: ImageNode, below = 0): GivenCondition {
    const [height, width] = sizeOf(index);
    const ofMap = programOf(index, node);
    const plan = new Plan(imagesTogether(numImages), width, 1);
    const program = { nodes: ofMap, output: ofMap.length - 1, weights: model.weights };
    const due = new Array<number>(node.size).fill(ROW);
    const io = compile(plan, height + below, program, readinessOf(ofMap, shapes), due);
    const machine = new Machine(plan, numImages, make);
    const conditionOf = Int32Array.from({ length: numImages }, (_, n) => n);
    const values = new Float32Array(numImages * height * width * node.size); // [N,H,W,F]
    for (let row = 0; row < height + below; row++) {
      finish(beginRow(machine, io, given, conditionOf, row));
      if (row >= below) readRow(machine, io.output, row - below, height, values);
    }
    return { shape: [height, width, node.size], values };
  }

  /** A small program of the image, the operands of a node, with whole maps as conditions, and the node. */
  function programOf(index: number, node: ImageNode): ImageNode[] {
    const found = new Set([index]);
    for (const one of found) {
      // goes through what is added, too
      if (one !== index && whole.has(one)) continue;
      for (const operand of operandsOf(nodes[one] as ProgramNode)) found.add(operand);
    }
    const inOrder = [0, ...[...found].sort((a, b) => a - b)];
    const indexOf = new Map(inOrder.map((one, at) => [one, at]));
    return inOrder.map((one) => {
      if (one !== index && whole.has(one)) return mapAsCondition(model, one);
      const whatIs = one === index ? node : (nodes[one] as ImageNode);
      return withOperands(whatIs, (operand) => indexOf.get(operand) as number);
    });
  }
}

/** Spreads the features of a map's places, or of a vector, over rows and columns: [N,h,w,rows*columns*F] -> [N,rows*h,columns*w,F]. */
function spreadMap(
  { shape, values, enlarged: [tall, wide] = [1, 1] }: GivenCondition,
  [height, width]: readonly [number, number],
  { rows, columns, size }: { readonly rows: number; readonly columns: number; readonly size: number },
): GivenCondition {
  const [h, w, features] = (shape.length === 1 ? [1, 1, ...shape] : shape) as [number, number, number];
  const places = (values.length / (h * w * features)) * height * width;
  const spread = new Float32Array(places * size);
  for (let place = 0; place < places; place++) {
    const y = Math.floor(place / width); // counts the rows of all images
    const x = place % width;
    const row = Math.floor(y / height) * h + Math.floor((y % height) / rows / tall);
    const column = Math.floor(x / columns / wide);
    const from = (row * w + column) * features + ((y % rows) * columns + (x % columns)) * size;
    spread.set(values.subarray(from, from + size), place * size);
  }
  return { shape: [height, width, size], values: spread };
}

/** Copies the current row of a machine's features into maps [N,H,W,F]. */
function readRow(
  { heap, chunks, plan }: Machine,
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
      for (let column = 0; column < plan.width; column++) {
        const from = at(operand) + n * stride + column * columnStride;
        const to = (((first + n) * height + row) * plan.width + column) * slotOf.length;
        for (const [f, slot] of slotOf.entries()) maps[to + f] = heap[from + slot] as number;
      }
    }
  }
}
