import type { ConditionShape } from '../../../src/runtime/core/conditions';
import { type Features, nodeOf, ProgramBuilder } from '../../../src/runtime/program/builder';
import type { PortableModel, Weight } from '../../../src/runtime/program/program';
import type { LayerWeight } from '../../../src/runtime/program/weights';

/** A weight of a program built by hand, whose numbers are no tensor. */
interface HandWeight extends LayerWeight {
  read(): ArrayLike<number>;
}

export function weightOf(shape: readonly number[], numbers?: ArrayLike<number>, name = 'weight'): HandWeight {
  const size = shape.reduce((product, length) => product * length, 1);
  return { name, shape, read: () => numbers ?? new Float32Array(size) };
}

/** A program of an image of so many channels, to which its operations are added. */
export function programOf(channels: number) {
  const program = new ProgramBuilder();
  return { program, image: program.image(channels) };
}

/** The model of a program built by hand, with its weights read. */
export function modelOf(
  { nodes, weights }: ProgramBuilder,
  output: Features,
  rest: Pick<PortableModel, 'imageShape' | 'levels'> & { conditions?: readonly ConditionShape[] },
): PortableModel {
  const read = [...weights].map(([name, { shape, from, make }]): [string, Weight] => {
    return [name, { shape, data: make(from.map((weight) => (weight as HandWeight).read())) }];
  });
  return { conditions: [], ...rest, nodes, output: nodeOf(output), weights: new Map(read) };
}
