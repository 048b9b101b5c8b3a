// The panels by the ids of their sections, but for the wall: in one file, which does not delay the first pictures.

export { mountMaskExplorer as masks } from '../mask-explorer/index.mjs';
export { mapEditor } from '../parts/map-editor.mjs';
export { mountClassifying as classifying } from './classifying.mjs';
export { mountCompleting as completing } from './completing.mjs';
export { mountDrawing as drawing } from './drawing.mjs';
export { mountGame as game } from './game.mjs';
export { mountInside as inside } from './inside.mjs';
export { mountLikelihood as likelihood } from './likelihood.mjs';
export { mountMagnet as magnet } from './magnet.mjs';
export { mountMaps as maps } from './maps.mjs';
export { mountMore as more } from './more.mjs';
export { mountSameBits as 'same-bits' } from './same-bits.mjs';
export { mountSampling as sampling } from './sampling.mjs';
export { mountTraining as training } from './training.mjs';
