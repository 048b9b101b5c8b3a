import './styles/base.css';
import './styles/controls.css';
import './styles/radios.css';
import './styles/panels.css';
import './styles/editor.css';
import './styles/bit-map.css';
import './styles/bit-bars.css';
import './styles/level-bars.css';
import './styles/training.css';
import { mountCompleting } from './panels/completing.mjs';
import { mountHero } from './panels/hero.mjs';
import { mountLikelihood } from './panels/likelihood.mjs';
import { mountSampling } from './panels/sampling.mjs';
import { mountTraining } from './panels/training.mjs';
import { h } from './parts/dom.mjs';
import { hashPlace } from './parts/hash-place.mjs';

/** Apart, since it brings the library along: the page is there before. */
const mountMasks = async (root) => (await import('./mask-explorer/index.mjs')).mountMaskExplorer(root);

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
fill('masks', mountMasks).then(settle);
fill('hero', mountHero);
fill('sampling', mountSampling);
fill('completing', mountCompleting);
fill('likelihood', mountLikelihood);
fill('training', mountTraining);
