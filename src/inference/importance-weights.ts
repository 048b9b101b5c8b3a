import type { Energy } from '../likelihood/energies';
import type { LogPartition, LogPartitionArgs } from '../likelihood/importance-weights';
import { estimated, ofPortable, readLogPartition } from '../likelihood/importance-weights';
import { isPortable, type PortableModel } from '../program/program';
import { type TfjsModel, tensorImageModel } from './tensor-model';

/** As {@link logPartition}. */
export async function ofAnyModel(
  model: TfjsModel | PortableModel,
  energy: Energy,
  args: LogPartitionArgs,
): Promise<LogPartition> {
  if (isPortable(model)) return ofPortable(model, energy, args);
  const { pool, ...values } = readLogPartition(energy, args);
  return estimated(tensorImageModel('logPartition: model', model, { pool }), energy, values);
}
