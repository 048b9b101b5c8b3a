import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Energy } from '../likelihood/energies';
import type { LogPartition, LogPartitionArgs } from '../likelihood/importance-weights';
import { estimated, ofPortable, readLogPartition } from '../likelihood/importance-weights';
import type { SymmetricModel } from '../models/symmetric';
import { isPortable, type PortableModel } from '../program/program';
import { tensorImageModel } from './tensor-model';

/** As {@link logPartition}. */
export async function ofAnyModel(
  model: LayersModel | SymmetricModel | PortableModel,
  energy: Energy,
  args: LogPartitionArgs,
): Promise<LogPartition> {
  if (isPortable(model)) return ofPortable(model, energy, args);
  const { pool, ...values } = readLogPartition(energy, args);
  return estimated(tensorImageModel('logPartition: model', model, { pool }), energy, values);
}
