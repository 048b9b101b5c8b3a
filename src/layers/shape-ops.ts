import { checkNames, throwTypeError } from '../runtime/core/check';
import type { KernelWindow } from '../runtime/core/window';
import { checkedSize, Nodes } from '../runtime/program/nodes';
import type { Operation, WeightReference } from '../runtime/program/operation';
import { type Ops, opsOf } from '../runtime/program/operations';
import { combinationNames, pointwiseNames } from '../runtime/program/operations/pointwise';
import type { ProgramNode } from '../runtime/program/program';
import { factorOf } from '../runtime/program/readiness';
import type { Kernel, LayerWeight } from '../runtime/program/weights';
import { featuresOf } from './stock-layers';
import type { TensorOps } from './tensor-ops';
import type { Shape } from './types';

/**
 * The operations on shapes, [N,H,W,F] or [N,F]: they check as programs do, make masks, and throw if unknown.
 */
export function shapeOps(tensorOps: TensorOps): Ops<Shape> {
  const nodes = new ShapeNodes(tensorOps);
  const checked = opsOf(nodes);
  const ops: Ops<Shape> = {
    ...checked,
    perChannel(x, channels, levels) {
      checked.perChannel(x, channels, levels);
      return [...x.slice(0, -1), channels, levels]; // [N,H,W,C*L] -> [N,H,W,C,L]
    },
  };
  return new Proxy(ops, {
    get(_, name) {
      if (typeof name === 'string' && !(name in ops)) throwUnknown(name, Object.keys(ops));
      return Reflect.get(ops, name);
    },
  });
}

/** Throws: there is no such operation. It may be a function that one of the operations takes by name. */
function throwUnknown(name: string, known: readonly string[]): void {
  const unknown = `unknown operation '${name}'`;
  for (const [operation, names] of Object.entries({ pointwise: pointwiseNames, combine: combinationNames })) {
    if (names.some((fn) => fn === name))
      throw new TypeError(`ops: ${unknown}: did you mean ops.${operation}('${name}', …)?`);
  }
  checkNames('ops', [name], known, () => unknown);
}

class ShapeNodes extends Nodes<Shape> {
  private unmasked: [Kernel, KernelWindow] | undefined;

  constructor(private readonly tensorOps: TensorOps) {
    super();
  }

  /** F of [N,H,W,F] or [N,F], C*L of [N,H,W,C,L]. */
  sizeOf(x: Shape, what: string): number {
    if (!Array.isArray(x) || x.some(Array.isArray))
      throwTypeError(`${what}: input`, 'an input, or the result of an operation of ops', x);
    const size = featuresOf(x);
    if (size === 0) throwTypeError(`${what}: input`, 'a shape whose features are known', x);
    return size;
  }

  add(
    operation: Operation,
    operands: readonly Shape[],
    fields: Readonly<Record<string, unknown>>,
    { size, what = operation.name }: { readonly size?: number; readonly what?: string } = {},
  ): Shape {
    const sizes = operands.map((x) => this.sizeOf(x, what));
    const noMap = operands.find(({ length }) => length !== 4);
    if (operation.isOfMaps && !fields['spread'] && noMap)
      throwTypeError(`${what}: input`, 'features [N,H,W,F]', noMap);
    const known = operands.map(({ length }, i) => ({ size: sizes[i] as number, isConstant: length === 2 }));
    const node = { op: operation.name, ...fields, size: checkedSize(operation, known, fields, what, size) };
    if (operation.tableOfPlaces !== undefined) {
      const { name, shape } = fields[operation.tableOfPlaces] as WeightReference;
      const size = operands[0]?.slice(1, 3);
      if (String(size) !== String(shape.slice(0, 2)))
        throwTypeError(`${what}: input`, `the height and width of '${name}', [${shape.slice(0, 2)}]`, size);
    }
    if (this.unmasked) this.tensorOps.prepare(...this.unmasked);
    this.unmasked = undefined;
    const given = ofPixels(what, operands);
    const shape =
      operation.makesMaps && given.length === 2 ? [given[0] ?? null, 1, 1, given[1] ?? null] : given; // a vector as a map of one place
    if (shape.length > 4) {
      if (node.size === sizes[0] && operands.every((x) => String(x) === String(shape))) return shape; // elementwise
      throwTypeError(`${what}: input`, 'features [N,H,W,F]', shape);
    }
    const times = 1 / factorOf(node as unknown as ProgramNode);
    const [rows, columns] =
      operation.name === 'upsample' ? [fields['rows'], fields['columns']] : [times, times];
    return [...rescaled(what, shape, rows as number, columns as number).slice(0, -1), node.size];
  }

  /** Remembers the kernel, whose mask is made after all checks. */
  override kernel(kernel: Kernel, window: KernelWindow): WeightReference {
    this.unmasked = [kernel, window];
    return super.kernel(kernel, window);
  }

  protected named = ({ name }: LayerWeight, shape: readonly number[]): WeightReference => ({ name, shape });

  derived = (name: string, shape: readonly number[]): WeightReference => ({ name, shape });

  strided = () => null;
}

/** Multiplies the rows and columns of a shape, such as by 1/2 for a stride: [N,H,W,F] -> [N,H/2,W/2,F]. */
export function rescaled(what: string, shape: Shape, rows: number, columns: number): Shape {
  if (shape.length !== 4) return shape;
  const [n = null, height = null, width = null, features = null] = shape;
  const length = (side: string, given: number | null, times: number) => {
    if (given !== null && !Number.isInteger(given * times))
      throwTypeError(`${what}: ${side}`, `a multiple of ${1 / times}`, given);
    return given === null ? null : given * times;
  };
  return [n, length('height', height, rows), length('width', width, columns), features];
}

/** The shape of the first input with pixels, if any. Known heights and widths must agree. */
function ofPixels(op: string, inputs: readonly Shape[]): Shape {
  const maps = inputs.filter(({ length }) => length > 2);
  const sizesOf = (axis: 1 | 2) => new Set(maps.map((map) => map[axis]).filter((length) => length !== null));
  if (sizesOf(1).size > 1 || sizesOf(2).size > 1)
    throwTypeError(op, 'features of equal height and width', inputs);
  return maps[0] ?? (inputs[0] as Shape);
}
