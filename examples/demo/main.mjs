import './styles/base.css';
import './styles/controls.css';
import './styles/radios.css';
import './styles/panels.css';
import './styles/drawing.css';
import './styles/sampling.css';
import './styles/editor.css';
import './styles/bit-map.css';
import './styles/bit-bars.css';
import './styles/level-bars.css';
import './styles/classifying.css';
import './styles/compressing.css';
import './styles/maps.css';
import './styles/magnet.css';
import './styles/training.css';
import { mountDrawing } from './panels/drawing.mjs';
import { followContents } from './parts/contents.mjs';
import { h, whenNear } from './parts/dom.mjs';
import { hashPlace } from './parts/hash-place.mjs';

/** Each is a file of its own: none of them delays the first picture. */
const PANELS = {
  sampling: async (root) => (await import('./panels/sampling.mjs')).mountSampling(root),
  completing: async (root) => (await import('./panels/completing.mjs')).mountCompleting(root),
  likelihood: async (root) => (await import('./panels/likelihood.mjs')).mountLikelihood(root),
  compressing: async (root) => (await import('./panels/compressing.mjs')).mountCompressing(root),
  classifying: async (root) => (await import('./panels/classifying.mjs')).mountClassifying(root),
  maps: async (root) => (await import('./panels/maps.mjs')).mountMaps(root),
  magnet: async (root) => (await import('./panels/magnet.mjs')).mountMagnet(root),
  training: async (root) => (await import('./panels/training.mjs')).mountTraining(root),
};
const mountMasks = async (root) => (await import('./mask-explorer/index.mjs')).mountMaskExplorer(root);

/** Milliseconds that the other panels wait for the first picture, at most. */
const PATIENCE = 2000;

/** Fills one part of the page; where a browser lacks what that takes, the others go on. */
async function fill(id, mount) {
  const root = document.getElementById(id);
  try {
    await mount(root);
  } catch ({ message }) {
    root.append(h('p.alert', { role: 'alert' }, `This part of the page could not be started: ${message}`));
  }
}

const settle = hashPlace();
followContents(document.querySelector('.contents'));
const firstPicture = fill('drawing', mountDrawing);
const isElsewhere = !['', '#drawing'].includes(location.hash.split('?', 1)[0]);
if (!isElsewhere) await Promise.race([firstPicture, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
await Promise.all(Object.entries(PANELS).map(([id, mount]) => fill(id, mount)));
fill('masks', async (root) => whenNear(root, () => fill('masks', mountMasks)));
settle();
