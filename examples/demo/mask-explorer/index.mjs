import { h } from '../parts/dom.mjs';
import './mask-explorer.css';
import { masksPart } from './masks-part.mjs';
import { stepsPart } from './steps-part.mjs';

/**
 * The panel about masks: which weights of a kernel are used, and what a value then sees, layer by layer. No tensors.
 *
 * @param {HTMLElement} root filled with the panel
 */
export function mountMaskExplorer(root) {
  const paragraph = (text) => h('p.mask-text', text);
  root.replaceChildren(
    h(
      'section.mask-explorer',
      { 'aria-labelledby': 'mask-title' },
      h('h2', { id: 'mask-title' }, 'Masks: what a value may see'),
      paragraph(
        'A PixelCNN draws an image value by value: rows from the top, pixels from the left, and within a coloured pixel red, then green, then blue. For each value it says how likely every intensity is, given what is drawn already.',
      ),
      paragraph(
        'It learns from finished images, all values at once. A value must not see itself, or it would copy the answer. It must not see later values either, since they will not be there yet when the network draws. So convolutions have masks: weights that would look at either are zero.',
      ),
      h('h3', 'One kernel'),
      paragraph(
        'A grey image has one channel, and so one plot. Choose three channels to see red, green and blue: each plot is then the kernel from the colour that is looked at (row) to the colour that is computed (column). A filled square is a weight that is used; the ring marks the current pixel, where types A and B of a plain stack differ.',
      ),
      masksPart(),
      h('h3', 'Many layers'),
      paragraph(
        'A network stacks such convolutions, and each layer looks at what the one below has seen. The numbers tell through how many layers a pixel reaches the value marked “?”. Step through the image, and go through the layers with the slider.',
      ),
      stepsPart(),
      h(
        'div.mask-why',
        h(
          'div',
          h('h4', 'Why a plain stack is blind to a triangle'),
          paragraph(
            'In the current row a layer looks to the left only; to the right it looks only in rows above. So each block gets one pixel further to the right by going one row up, and what lies far to the right but just a little above is out of reach. More blocks widen the window and the triangle with it: n blocks leave out n (n + 1) / 2 pixels, as far as the image reaches.',
          ),
        ),
        h(
          'div',
          h('h4', 'How two stacks see all'),
          paragraph(
            'The vertical stack knows rows above only, so within a row it needs no mask: it may look at its own features to the left and right alike. The horizontal stack looks to the left in the current row, and takes in, at its own pixel, all that the vertical one has found above. Nothing earlier is left out, and nothing later gets in.',
          ),
        ),
      ),
    ),
  );
}
