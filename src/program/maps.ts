import type { ConditionShape } from '../core/conditions';
import { seesBelow } from '../core/window';
import { type ImageNode, type Node, operandsOf, type PortableModel } from './program';
import { UnfitResolution } from './readiness';

// What a program does before its image begins: networks on conditions alone, which may look around and enlarge, and
// positions. None of that can be done row by row together with the image, and none of it needs the image.

/** What is left of a program when its maps are taken out. */
export interface ImageProgram {
  /** Its nodes, under the same indices; those that come before the image are {@link asCondition}. */
  readonly nodes: readonly ImageNode[];
  /** What conditions are then, by their index. */
  readonly conditions: readonly ConditionShape[];
  /** The nodes that come before the image and are read by others that do not. */
  readonly maps: readonly number[];
}

/** What {@link imageProgram} needs of a model. */
export type MapProgram = Pick<PortableModel, 'nodes' | 'output' | 'conditions' | 'imageShape'>;

/** A node as a condition: its index follows those of the model's own. */
export const asCondition = (
  { conditions, nodes }: Pick<MapProgram, 'conditions' | 'nodes'>,
  index: number,
): ImageNode => ({
  op: 'condition',
  size: nodes[index]?.size ?? 0,
  index: conditions.length + index,
});

/** The conditions of a model, and after them each node as one. */
export const withNodes = ({
  conditions,
  nodes,
}: Pick<MapProgram, 'conditions' | 'nodes'>): ConditionShape[] => [
  ...conditions,
  ...nodes.map(({ size }): ConditionShape => ({ kind: 'map', size })),
];

/** Whether a node makes something of whole maps, so that they are complete before it begins. */
export const readsWholeMaps = (node: Node): boolean =>
  node.op === 'enlarge' || node.op === 'position' || (node.op === 'conv' && seesBelow(node.window));

/**
 * Takes out of a program what is done before the image begins: what reads whole maps, and what is of another size than the
 * image.
 *
 * @throws UnfitResolution where the image itself would be looked around in, or maps of several sizes meet
 */
export function imageProgram(program: MapProgram): ImageProgram {
  const { nodes, imageShape } = program;
  const sizes = mapSizes(program);
  const isOfImageSize = (index: number) => isSame(sizes[index] ?? null, imageShape);
  const isBefore = nodes.map(
    (node, index) => readsWholeMaps(node) || (sizes[index] !== null && !isOfImageSize(index)),
  );
  const outputs = sizes[program.output] ?? null;
  if (outputs !== null && !isSame(outputs, imageShape))
    throw new UnfitResolution(
      program.output,
      'output',
      `a map of another size than the image's, [${outputs}]`,
    );
  const maps = new Set<number>(isBefore[program.output] ? [program.output] : []);
  for (const [index, node] of nodes.entries()) {
    if (isBefore[index]) continue;
    for (const operand of operandsOf(node)) if (isBefore[operand]) maps.add(operand);
  }
  return {
    nodes: nodes.map((node, index) => (isBefore[index] ? asCondition(program, index) : (node as ImageNode))),
    conditions: withNodes(program),
    maps: [...maps],
  };
}

/**
 * The nodes whose whole maps are made before the image begins, in order, for `maps` of them: those that make something of
 * whole maps, those that they read, and those that several read, so that nothing is made twice.
 */
export function wholeMaps(nodes: readonly Node[], maps: readonly number[]): number[] {
  const isWhole = nodes.map(() => false);
  const readers = nodes.map(() => 0);
  for (const index of maps) isWhole[index] = true;
  for (const [index, node] of [...nodes.entries()].reverse()) {
    const count = readers[index] as number;
    if (!isWhole[index] && count === 0) continue;
    if (count > 1 || readsWholeMaps(node)) isWhole[index] = true;
    if (node.op === 'position') continue; // the same of whatever is there
    for (const operand of new Set(operandsOf(node))) {
      readers[operand] = (readers[operand] as number) + 1;
      if (readsWholeMaps(node)) isWhole[operand] = true;
    }
  }
  return [...nodes.keys()].filter((index) => isWhole[index] && nodes[index]?.op !== 'condition');
}

/** Height and width of a map; null where they are those of an image of any size. */
export type MapSize = readonly [height: number | null, width: number | null];

const isSame = (size: MapSize | null, [height, width]: readonly (number | null)[]) =>
  size !== null && size[0] === height && size[1] === width;

/**
 * The size of what each node makes, null where that is the same at every pixel. Maps made of the image have its size; those
 * that have features at every so many of its rows and columns only are told apart by their readiness.
 *
 * @throws UnfitResolution
 */
export function mapSizes({ nodes, conditions, imageShape }: Omit<MapProgram, 'output'>): (MapSize | null)[] {
  const ofImage: MapSize = [imageShape[0], imageShape[1]];
  const sizes: (MapSize | null)[] = [];
  const seeImage: boolean[] = [];
  const areStrided: boolean[] = [];
  for (const [index, node] of nodes.entries()) {
    const operands = operandsOf(node);
    const unfit = (reason: string): never => {
      throw new UnfitResolution(index, node.op, reason);
    };
    const some = (flags: readonly boolean[]) => operands.some((operand) => flags[operand]);
    const [size = null, ...others] = operands.flatMap((operand) => {
      const one = sizes[operand] ?? null;
      return one === null ? [] : [one];
    });
    for (const other of others)
      if (!isSame(size, other)) unfit(`its operands are maps of several sizes, [${size}] and [${other}]`);
    if (readsWholeMaps(node) && node.op !== 'position') {
      if (some(seeImage)) unfit('its input is made of the image, of which it would see pixels to come');
      if (size === null) unfit('its input is the same at every pixel');
    }
    const isStrided = node.op === 'conv' && node.window.stride > 1;
    const isOther = size !== null && !isSame(size, ofImage);
    if ((isStrided && isOther) || (readsWholeMaps(node) && some(areStrided)))
      unfit('strides are for maps of the size of the image, and for what is done row by row');
    seeImage.push(node.op === 'image' || (node.op !== 'position' && some(seeImage)));
    areStrided.push(isStrided || some(areStrided));
    sizes.push(sizeOf(node, size));
  }
  return sizes;

  function sizeOf(node: Node, ofOperands: MapSize | null): MapSize | null {
    if (node.op === 'image') return ofImage;
    if (node.op === 'condition') {
      const condition = conditions[node.index];
      if (condition?.kind === 'codes') return condition.shape;
      return condition?.kind === 'map' ? ofImage : null;
    }
    if (node.op !== 'enlarge' || ofOperands === null) return ofOperands;
    const [height, width] = ofOperands;
    return [height && height * node.rows, width && width * node.columns];
  }
}
