import './styles/base.css';
import './styles/controls.css';
import './styles/radios.css';
import './styles/panels.css';
import './styles/editor.css';
import './styles/bit-map.css';
import './styles/bit-bars.css';
import './styles/training.css';
import { mountCompleting } from './panels/completing.mjs';
import { mountHero } from './panels/hero.mjs';
import { mountLikelihood } from './panels/likelihood.mjs';
import { mountSampling } from './panels/sampling.mjs';
import { mountTraining } from './panels/training.mjs';
import { h } from './parts/dom.mjs';

const section = (id) => document.getElementById(id);

/** Apart, since it brings the library along: the page is there before. */
import('./mask-explorer/index.mjs')
  .then(({ mountMaskExplorer }) => mountMaskExplorer(section('masks')))
  .catch(({ message }) => {
    const alert = h('p.alert', { role: 'alert' }, `The panel about masks could not be loaded: ${message}`);
    section('masks').append(alert);
  });

const { client } = mountSampling(section('sampling'));
mountHero(section('hero'), client);
mountCompleting(section('completing'));
mountLikelihood(section('likelihood'));
mountTraining(section('training'));
