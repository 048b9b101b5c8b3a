import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Energy } from '../likelihood/energies';
import type { LogPartition, LogPartitionArgs } from '../likelihood/importance-weights';
import { estimated, ofPortable, readLogPartition } from '../likelihood/importance-weights';
import { type SymmetricModel, symmetricShape } from '../models/symmetric';
import type { PortableModel } from '../program/program';
import { drawingFrom } from './sample';

/** As {@link logPartition}. */
export async function ofAnyModel(
  model: LayersModel | SymmetricModel | PortableModel,
  energy: Energy,
  args: LogPartitionArgs,
): Promise<LogPartition> {
  if ((model as Partial<PortableModel> | undefined)?.nodes !== undefined)
    return ofPortable(model as PortableModel, energy, args);
  const { pool, ...values } = readLogPartition(energy, args);
  const shape = symmetricShape('logPartition: model', model as LayersModel | SymmetricModel);
  return estimated(shape, energy, values, drawingFrom(shape, pool));
}
