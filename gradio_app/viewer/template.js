// The HTML of the viewer's controls, and the list of keys that its help shows.

import {LARGEST_GAIN, MODES} from './modes.js';

const MODE_BUTTONS = MODES.map(({name, label, key}) => `<button data-mode="${name}" role="radio"
    tabindex="-1"
    title="${label} (${key.toUpperCase()})">${label}</button>`).join('');

export const TEMPLATE = `
<div class="bars">
<div class="bar" role="toolbar" aria-label="View">
  <div class="group modes" role="radiogroup" aria-label="View">${MODE_BUTTONS}</div>
  <div class="group sides">
    <label class="side a"><span>A</span><select data-side="a" aria-label="Picture A"></select></label>
    <button data-do="swap" title="Swap A and B (X)" aria-label="Swap A and B">⇄</button>
    <label class="side b"><span>B</span><select data-side="b" aria-label="Picture B"></select></label>
  </div>
</div>
<div class="bar" role="toolbar" aria-label="Zoom and tools">
  <div class="group zoom">
    <button data-do="out" title="Zoom out (−)" aria-label="Zoom out">−</button>
    <button data-do="fit" title="Whole picture (0)">Fit</button>
    <button data-do="actual" title="One picture pixel per screen pixel (Z)">1:1</button>
    <button data-do="in" title="Zoom in (+)" aria-label="Zoom in">+</button>
  </div>
  <div class="group tools">
    <button data-do="magnifier" title="Magnifier with pixel values (L)">Magnifier</button>
    <button data-do="region"
      title="Draw a rectangle to measure (R), or hold Shift and drag">Measure area</button>
    <button data-do="blind" title="Blind test (T)">Blind test</button>
    <details class="menu"><summary>Save / share</summary><div>
      <button data-do="png">Picture B as PNG, full size (W)</button>
      <button data-do="jpeg">Picture B as JPEG, full size (J)</button>
      <button data-do="view">This view as PNG (C)</button>
      <button data-do="link">Copy a link to this view (K)</button>
    </div></details>
    <button data-do="help" title="All keys (?)" aria-label="Help">?</button>
  </div>
</div>
</div>
<div class="frame">
<div class="stage" tabindex="0" role="group">
  <canvas role="img"></canvas>
  <div class="magnifier" hidden><div><canvas class="a"></canvas><output></output></div><div><canvas
    class="b"></canvas><output></output></div></div>
  <div class="help" role="dialog" aria-label="Keys" hidden></div>
</div>
  <div class="panel gain"><label>Amplify <input type="range" min="0"
    max="${Math.log2(LARGEST_GAIN)}" step="1"
    aria-label="Amplification of the difference"><output></output></label><span
    class="largest"></span>
    <button data-do="largest" title="Show the largest difference (M)">Show it</button></div>
  <div class="panel blink"><button data-do="switch" title="Switch by hand (space)">Switch</button>
    <button data-do="play" title="Start or pause (P)"></button></div>
  <div class="panel blind" hidden></div>
</div>
<div class="bar effect">
  <label class="group strength">Blur <input type="range" min="0" max="1" step="0.05"
    aria-label="Strength of the blur"><output></output></label>
  <div class="group focus">
    <button data-do="focus" title="Keep sharp what is in the middle or under the mouse (F); or tap it"
      >Focus here</button>
    <button data-do="automatic" title="Let the model find the subject">Automatic focus</button>
    <span class="focus-hint">Tap the picture to choose what stays sharp.</span>
  </div>
</div>
<div class="readout"><span class="where"></span><span class="scale"></span></div>
<div class="region-report" hidden></div>
<div class="verdict" hidden><p></p><details><summary>What these figures mean</summary><p>“At most”:
  the largest difference of one colour channel (0 to 255) in any pixel of the picture at its full size.
  “Visibly”: the pixels whose colours are 2.3 or more apart in CIE L*a*b*; less cannot be seen even
  side by side. “Real blur”: photographs taken with a large lens, or rendered as one would; the mean
  PSNR over the bundle’s test pairs.</p></details></div>
<div class="spoken" aria-live="polite"></div>`;

const KEYS = [
    [MODES.map(({key}) => key.toUpperCase()).join(' '), MODES.map(({label}) => label).join(', ')],
    ['1 … 9', 'choose picture B; with Shift, picture A'],
    ['X', 'swap A and B'],
    ['+ − 0 Z', 'zoom in, zoom out, fit, 1:1'],
    ['← ↑ → ↓', 'move; with Shift, faster'],
    [', .', 'move the divider'],
    ['F', 'keep sharp what is under the mouse, or in the middle; again: automatic'],
    ['< >', 'less, more blur'],
    ['[ ]', 'amplify the difference less, more'],
    ['M', 'show the largest difference'],
    ['space P', 'Blink: switch by hand, start or pause'],
    ['L', 'magnifier with pixel values'],
    ['R', 'draw a rectangle to measure; Enter measures the visible part'],
    ['T', 'blind test: A B X show a picture, Shift + A B X answer'],
    ['W J C K', 'save PNG, save JPEG, save the view, copy a link'],
    ['Esc', 'close, end or clear'],
    ['mouse', 'drag to move; click to choose what stays sharp; then the wheel zooms; Shift + drag to measure'],
    ['touch', 'a tap chooses what stays sharp, two fingers zoom, a double tap shows 1:1'],
];

export const HELP = `<dl>${KEYS.map(([keys, what]) => `<dt>${keys}</dt><dd>${what}</dd>`).join('')}
    </dl><button data-do="help">Close</button>`;
