import 'uplot/dist/uPlot.min.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/radios.css';
import './styles/panels.css';
import './styles/wall.css';
import './styles/drawing.css';
import './styles/masks.css';
import './styles/sampling.css';
import './styles/editor.css';
import './styles/bit-map.css';
import './styles/size-bars.css';
import './styles/level-bars.css';
import './styles/classifying.css';
import './styles/files.css';
import './styles/maps.css';
import './styles/magnet.css';
import './styles/training.css';
import './styles/game.css';
import './styles/inside.css';
import './styles/same-bits.css';
import './styles/room.css';
import { mountWall } from './panels/wall.mjs';
import { followContents } from './parts/contents.mjs';
import { h, whenNear } from './parts/dom.mjs';
import { hashPlace } from './parts/hash-place.mjs';

/** The other panels, in the order in which they are filled. */
const PANELS = [
  ...['drawing', 'masks', 'inside', 'likelihood', 'completing', 'maps', 'training', 'magnet'],
  ...['game', 'sampling', 'classifying', 'same-bits', 'more'],
];

/** The code of the other panels. */
const panels = () => import('./panels/index.mjs');

/** Milliseconds that the other panels wait for the first picture, at most. */
const PATIENCE = 2000;

/** Fills one part of the page, once it is unfolded; where a browser lacks what that takes, the others go on. */
async function fill(id, mount = async (root) => (await panels())[id](root)) {
  const root = document.getElementById(id);
  if (root.tagName === 'DETAILS' && !root.open)
    return root.addEventListener('toggle', () => fill(id), { once: true });
  try {
    await mount(root);
    const next = root.querySelector(':scope > .next');
    if (next !== null) root.append(next);
  } catch ({ message }) {
    root.append(h('p.alert', { role: 'alert' }, `This part of the page could not be started: ${message}`));
  }
}

hashPlace();
followContents(document.querySelector('.contents'));
const isElsewhere = !['', '#wall'].includes(location.hash.split('?', 1)[0]);
const firstPicture = fill('wall', (root) =>
  isElsewhere ? whenNear(root, () => mountWall(root, panels)) : mountWall(root, panels),
);
if (!isElsewhere) await Promise.race([firstPicture, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
await Promise.all(PANELS.map((id) => fill(id)));
if (!import.meta.hot) navigator.serviceWorker?.register('./service-worker.js').catch(() => {}); // the page works without, and Vite serves none
