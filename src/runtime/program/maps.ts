import { type ConditionShape, isOfPlaces, sizeOfMap } from '../core/conditions';
import { operationOf } from './operations';
import { type ImageNode, operandsOf, type PortableModel, type ProgramNode } from './program';
import { factorOf, UnfitResolution } from './readiness';

// What a program computes before its image begins: networks that read only conditions, which may look in all directions
// and enlarge maps, and positions. These cannot be computed row by row with the image, and do not need it.

/** The parts of a model on which the sizes of its maps depend. */
type MapProgram = Pick<PortableModel, 'nodes' | 'conditions' | 'imageShape'>;

/** Replaces a node by a condition, whose index follows the model's own conditions. */
export const mapAsCondition = ({ conditions, nodes }: MapProgram, index: number): ImageNode => ({
  op: 'condition',
  size: nodes[index]?.size ?? 0,
  index: conditions.length + index,
});

/** The conditions of a model, followed by each node as a condition. */
export const withNodes = ({ conditions, nodes }: MapProgram): ConditionShape[] => [
  ...conditions,
  ...nodes.map(({ size }): ConditionShape => ({ kind: 'map', size })),
];

/** Whether a node reads whole maps, so that they must be complete before it begins. */
export const readsWholeMaps = (node: ProgramNode): boolean =>
  operationOf(node).readsWholeMaps?.(node) ?? false;

/**
 * The program that is left for the image, after nodes that read whole maps, and maps of other
 * sizes, have been computed.
 *
 * @returns its nodes, with those computed before as conditions ({@link mapAsCondition}); all conditions; the sizes of
 * all maps ({@link mapSizes}); and the indices of the maps that it reads
 * @throws UnfitResolution if a node would look in all directions in the image, or combine maps of different sizes
 */
export function imageProgram(program: MapProgram & Pick<PortableModel, 'output'>) {
  const { nodes, imageShape, output } = program;
  const sizes = mapSizes(program);
  const isOtherSize = (index: number) => differs(sizes[index], imageShape);
  const isBefore = nodes.map((node, index) => readsWholeMaps(node) || isOtherSize(index));
  if (isOtherSize(output))
    throw new UnfitResolution(output, 'output', `a map of another size than the image, [${sizes[output]}]`);
  const maps = new Set<number>(isBefore[output] ? [output] : []);
  for (const [index, node] of nodes.entries()) {
    if (isBefore[index]) continue;
    for (const operand of operandsOf(node)) if (isBefore[operand]) maps.add(operand);
  }
  return {
    nodes: nodes.map((node, index) =>
      isBefore[index] ? mapAsCondition(program, index) : (node as ImageNode),
    ),
    conditions: withNodes(program),
    sizes,
    maps: [...maps],
  };
}

/**
 * The nodes whose whole maps must be computed, in order, to obtain `maps`: nodes that read whole maps, the
 * nodes that they read, and nodes with several readers, so that nothing is computed twice.
 */
export function wholeMaps(nodes: readonly ProgramNode[], maps: readonly number[]): number[] {
  const isWhole = nodes.map(() => false);
  const readers = nodes.map(() => 0);
  for (const index of maps) isWhole[index] = true;
  for (const [index, node] of [...nodes.entries()].reverse()) {
    const count = readers[index] as number;
    if (!isWhole[index] && count === 0) continue;
    if (count > 1 || readsWholeMaps(node)) isWhole[index] = true;
    if (node.op === 'position') continue; // does not depend on its input
    for (const operand of new Set(operandsOf(node))) {
      readers[operand] = (readers[operand] as number) + 1;
      if (readsWholeMaps(node)) isWhole[operand] = true;
    }
  }
  return [...nodes.keys()].filter((index) => isWhole[index] && nodes[index]?.op !== 'condition');
}

/** Height and width of a map; null if they depend on an image of any size. */
export type MapSize = readonly [height: number | null, width: number | null];

const differs = (size: MapSize | undefined, [height, width]: readonly (number | null)[]) =>
  size !== undefined && (size[0] !== height || size[1] !== width);

/**
 * The size of each node's map, undefined if the node is the same at every pixel. Maps computed from
 * the image have its size; coarser resolutions are handled by their readiness.
 *
 * @throws UnfitResolution
 */
export function mapSizes({ nodes, conditions, imageShape }: MapProgram): (MapSize | undefined)[] {
  const ofImage: MapSize = [imageShape[0], imageShape[1]];
  const sizes: (MapSize | undefined)[] = [];
  const seeImage: boolean[] = [];
  const areStrided: boolean[] = [];
  for (const [index, node] of nodes.entries()) {
    const operands = operandsOf(node);
    const unfit = (reason: string): never => {
      throw new UnfitResolution(index, node.op, reason);
    };
    const some = (flags: readonly boolean[]) => operands.some((operand) => flags[operand]);
    const [size, ...others] = operands.map((operand) => sizes[operand]).filter((one) => one !== undefined);
    for (const other of others)
      if (differs(size, other)) unfit(`its operands are maps of several sizes, [${size}] and [${other}]`);
    if (readsWholeMaps(node) && node.op !== 'position') {
      if (some(seeImage)) unfit('its input depends on the image, so it would see later pixels');
      if (size === undefined && !operationOf(node).makesMaps) unfit('its input is the same at every pixel');
    }
    const isStrided = factorOf(node) !== 1;
    if ((isStrided && differs(size, ofImage)) || (readsWholeMaps(node) && some(areStrided)))
      unfit('strides are only for maps of the size of the image');
    seeImage.push(node.op === 'image' || (node.op !== 'position' && some(seeImage)));
    areStrided.push(isStrided || some(areStrided));
    sizes.push(sizeOf(node, size));
  }
  return sizes;

  function sizeOf(node: ProgramNode, ofOperands: MapSize | undefined): MapSize | undefined {
    if (node.op === 'image') return ofImage;
    if (node.op === 'condition') {
      const condition = conditions[node.index] as ConditionShape;
      return sizeOfMap(condition) ?? (isOfPlaces(condition) ? ofImage : undefined);
    }
    if (node.op !== 'upsample') return ofOperands;
    const [height, width] = ofOperands ?? [1, 1]; // a vector is a map of one place
    return [height && height * node.rows, width && width * node.columns];
  }
}
