export { parseCifar10 } from './cifar-10';
export { gunzip } from './gunzip';
export { type IdxArray, idxImages, parseIdx } from './idx';
export {
  type DropClassArgs,
  type ImageBatch,
  type ImageBatches,
  type ImageBatchOptions,
  imageBatches,
} from './image-batches';
export {
  type ImageSet,
  type ImageSetArgs,
  imageSet,
  type LabelledImageSet,
  quantize,
  sliceImages,
} from './image-set';
