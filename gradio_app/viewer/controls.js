// The viewer's buttons, keys and readouts. Everything that a button does, a key does too.

import {reportRegion} from './region.js';
import {MODES} from './viewer.js';
import {copyLink, saveComparison, saveJpeg, savePng} from './save.js';

const LOUPE_RADIUS = 5; // pixels around the one under the pointer
const LOUPE_SCALE = 11;

const TEMPLATE = `
<div class="bars">
<div class="bar" role="toolbar" aria-label="What is shown">
  <div class="group modes" role="radiogroup" aria-label="Mode"></div>
  <div class="group sides">
    <label class="side a"><span>A</span><select data-side="a" aria-label="Picture A"></select></label>
    <button data-do="swap" title="Swap A and B (X)" aria-label="Swap A and B">⇄</button>
    <label class="side b"><span>B</span><select data-side="b" aria-label="Picture B"></select></label>
  </div>
</div>
<div class="bar" role="toolbar" aria-label="Zoom and tools">
  <div class="group zoom">
    <button data-do="out" title="Smaller (−)" aria-label="Zoom out">−</button>
    <button data-do="fit" title="Whole picture (0)">fit</button>
    <button data-do="actual" title="One pixel is one pixel (Z)">100 %</button>
    <button data-do="in" title="Larger (+)" aria-label="Zoom in">+</button>
  </div>
  <div class="group tools">
    <button data-do="loupe" title="Loupe with the pixel's values (L)">loupe</button>
    <button data-do="region" title="Draw a rectangle to measure (R), or Shift and drag">region</button>
    <button data-do="blind" title="Blind test (T)">blind test</button>
    <details class="menu"><summary title="Save or share">save</summary><div>
      <button data-do="png">Picture B as PNG, full size (W)</button>
      <button data-do="jpeg">Picture B as JPEG, full size (J)</button>
      <button data-do="view">This view as one PNG (C)</button>
      <button data-do="link">Copy a link to this view (K)</button>
    </div></details>
    <button data-do="help" title="All keys (?)" aria-label="Help">?</button>
  </div>
</div>
</div>
<div class="frame">
<div class="stage" tabindex="0" role="group" aria-roledescription="picture viewer">
  <canvas role="img"></canvas>
  <div class="loupe" hidden><div><canvas class="a"></canvas><output></output></div><div><canvas
    class="b"></canvas><output></output></div></div>
  <div class="help" role="dialog" aria-label="Keys" hidden></div>
</div>
  <div class="panel gain"><label>gain <input type="range" min="0" max="6" step="1"
    aria-label="Gain of the difference"><output></output></label><span class="largest"></span>
    <button data-do="largest" title="Go to the largest difference (M)">go there</button></div>
  <div class="panel flick"><button data-do="flip" title="Switch by hand (space)">switch</button>
    <button data-do="play" title="Let it run (P)"></button></div>
  <div class="panel blind" hidden></div>
</div>
<div class="readout"><span class="where"></span><span class="scale"></span></div>
<div class="region-report" hidden></div>
<div class="spoken" aria-live="polite"></div>`;

const KEYS = [
    ['S G F D', 'split, grid, flicker, difference'],
    ['1 … 9', 'picture B; with Shift picture A'],
    ['X', 'swap A and B'],
    ['+ − 0 Z', 'larger, smaller, whole picture, 100 %'],
    ['← ↑ → ↓', 'move; with Shift faster'],
    [', .', 'move the divider'],
    ['[ ]', 'gain of the difference'],
    ['M', 'go to the largest difference'],
    ['space P', 'flicker: switch by hand, let it run'],
    ['L', 'loupe with the pixel’s values'],
    ['R', 'draw a rectangle to measure; Enter measures what is in view'],
    ['T', 'blind test: A B X show, Shift + A B X answer'],
    ['W J C K', 'save PNG, save JPEG, save the view, copy a link'],
    ['Esc', 'close, end, clear'],
    ['mouse', 'drag to move, wheel to zoom once the picture has been clicked, Shift + drag a region'],
    ['touch', 'one finger moves, two zoom, double tap 100 %'],
];

export class Controls {
    constructor(viewer) {
        this.viewer = viewer;
        viewer.root.innerHTML = TEMPLATE;
        const find = (selector) => viewer.root.querySelector(selector);
        this.stage = find('.stage');
        this.canvas = find('.stage > canvas');
        this.help = find('.help');
        this.where = find('.where');
        this.percent = find('.scale');
        this.report = find('.region-report');
        this.spoken = find('.spoken');
        this.blindPanel = find('.blind');
        this.loupe = find('.stage > .loupe');
        this.gainInput = find('.gain input');
        this.#buildModes(find('.modes'));
        this.#buildHelp();
        for (const select of viewer.root.querySelectorAll('select')) {
            select.onchange = () => viewer.choose(select.dataset.side, select.value);
        }
        this.gainInput.oninput = () => viewer.setGain(2 ** this.gainInput.value);
        viewer.root.addEventListener('click', (event) => this.#click(event));
        document.addEventListener('keydown', (event) => this.#key(event));
    }

    #lines = new Map();

    #buildModes(group) {
        for (const mode of MODES) {
            const button = document.createElement('button');
            button.dataset.mode = mode;
            button.setAttribute('role', 'radio');
            button.title = `${mode} (${mode[0].toUpperCase()})`;
            button.textContent = mode;
            group.append(button);
        }
    }

    #buildHelp() {
        const rows = KEYS.map(([keys, what]) => `<dt>${keys}</dt><dd>${what}</dd>`).join('');
        this.help.innerHTML = `<dl>${rows}</dl><button data-do="help">close</button>`;
    }

    // ---- what buttons and keys do --------------------------------------------------------------

    actions = {
        swap: () => this.viewer.swap(),
        out: () => this.viewer.step(-1),
        in: () => this.viewer.step(1),
        fit: () => this.viewer.fit(),
        actual: () => this.viewer.zoomTo(1),
        largest: () => this.#goToLargest(),
        flip: () => this.viewer.flip(),
        play: () => this.viewer.set({flickering: !this.viewer.flickering}),
        loupe: () => this.#toggleLoupe(),
        region: () => this.viewer.set({regionTool: !this.viewer.regionTool}),
        measure: () => this.reportRegion(),
        visible: () => this.setRegion(this.viewer.visible),
        clear: () => this.setRegion(null),
        blind: () => this.viewer.beginBlindTest(),
        png: () => savePng(this.viewer, this.viewer.b),
        jpeg: () => saveJpeg(this.viewer, this.viewer.b),
        view: () => saveComparison(this.viewer),
        link: async () => this.say(await copyLink(this.viewer)),
        help: () => this.#toggleHelp(),
        'show-a': () => this.viewer.showBlind('a'),
        'show-b': () => this.viewer.showBlind('b'),
        'show-x': () => this.viewer.showBlind('x'),
        'answer-a': () => this.viewer.answerBlind('a'),
        'answer-b': () => this.viewer.answerBlind('b'),
        'answer-x': () => this.viewer.answerBlind(null),
        end: () => this.viewer.endBlindTest(),
    };

    #click(event) {
        const button = event.target.closest('button');
        if (!button || !this.viewer.photo) return;
        if (button.dataset.mode) this.viewer.setMode(button.dataset.mode);
        else this.#act(this.actions[button.dataset.do]);
        button.closest('details')?.removeAttribute('open');
    }

    // What an action could not do is said.
    async #act(action) {
        try {
            await action?.();
        } catch (error) {
            this.say(`That did not work: ${error.message}.`);
        }
    }

    #key(event) {
        const inside = this.viewer.root.contains(document.activeElement);
        const idle = [document.body, null].includes(document.activeElement);
        const typing = event.target.closest?.('select, input, textarea, [contenteditable]');
        if (!this.viewer.photo || typing || !(inside || idle)) return;
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        const onButton = event.target.closest?.('button, summary');
        if (onButton && (event.key === ' ' || event.key === 'Enter')) return;
        if (this.#press(event.key, event.shiftKey, event.code)) event.preventDefault();
    }

    #press(key, shift, code) {
        const letter = key.toLowerCase();
        if (this.viewer.blind) return this.#pressBlind(letter, shift);
        const digit = /^Digit([1-9])$/.exec(code)?.[1];
        if (digit) {
            this.viewer.choose(shift ? 'a' : 'b', this.viewer.entries[digit - 1]?.key);
            return true;
        }
        const mode = MODES.find((each) => each[0] === letter);
        if (mode) {
            this.viewer.setMode(mode);
            return true;
        }
        const far = shift ? 200 : 40;
        const done = {
            x: this.actions.swap, '+': this.actions.in, '=': this.actions.in,
            '-': this.actions.out, '0': this.actions.fit, z: this.actions.actual,
            m: this.actions.largest, ' ': this.actions.flip, p: this.actions.play,
            l: this.actions.loupe, r: this.actions.region, enter: this.actions.visible,
            t: this.actions.blind, w: this.actions.png, j: this.actions.jpeg,
            c: this.actions.view, k: this.actions.link, '?': this.actions.help,
            '[': () => this.viewer.setGain(this.viewer.gain / 2),
            ']': () => this.viewer.setGain(this.viewer.gain * 2),
            ',': () => this.#moveDivider(-0.02), '.': () => this.#moveDivider(0.02),
            arrowleft: () => this.viewer.pan(far, 0), arrowright: () => this.viewer.pan(-far, 0),
            arrowup: () => this.viewer.pan(0, far), arrowdown: () => this.viewer.pan(0, -far),
            escape: () => this.#escape(),
        }[letter];
        this.#act(done);
        return Boolean(done);
    }

    #pressBlind(letter, shift) {
        if (letter === 'escape') this.actions.end();
        else if ('abx'.includes(letter)) this.actions[`${shift ? 'answer' : 'show'}-${letter}`]();
        else if (letter === '+' || letter === '=') this.actions.in();
        else if (letter === '-') this.actions.out();
        else if (letter === '0') this.actions.fit();
        else if (letter === 'z') this.actions.actual();
        else return false;
        return true;
    }

    #escape() {
        if (!this.help.hidden) this.#toggleHelp();
        else if (this.viewer.regionTool || this.viewer.region) this.setRegion(null);
        else if (this.viewer.loupe) this.#toggleLoupe();
    }

    #toggleHelp() {
        this.help.hidden = !this.help.hidden;
        if (!this.help.hidden) this.help.querySelector('button').focus();
        else this.stage.focus();
    }

    #toggleLoupe() {
        const {viewer} = this;
        const {centre} = viewer;
        viewer.loupe = !viewer.loupe;
        viewer.pointer ??= {x: Math.floor(centre.x), y: Math.floor(centre.y)};
        viewer.set({});
    }

    #moveDivider(by) {
        this.viewer.set({divider: Math.min(1, Math.max(0, this.viewer.divider + by))});
    }

    #goToLargest() {
        const {viewer} = this;
        if (!viewer.picture(viewer.a) || !viewer.picture(viewer.b)) return;
        if (viewer.differenceFailure) viewer.retryDifference();
        const found = viewer.difference();
        if (!found) return;
        viewer.pointer = {x: found.x, y: found.y};
        viewer.loupe = true;
        viewer.lookAt(found.x, found.y, Math.max(8, viewer.scale));
    }

    // ---- what is said --------------------------------------------------------------------------

    update() {
        const {viewer} = this;
        const {root, mode, blind} = viewer;
        root.dataset.mode = blind ? 'blind' : mode;
        for (const button of root.querySelectorAll('[data-mode]')) {
            button.setAttribute('aria-checked', String(button.dataset.mode === mode));
            button.disabled = Boolean(blind);
        }
        for (const action of ['swap', 'loupe', 'region']) {
            root.querySelector(`[data-do=${action}]`).disabled = Boolean(blind);
        }
        for (const select of root.querySelectorAll('select')) this.#fillSelect(select);
        this.gainInput.value = Math.log2(viewer.gain);
        root.querySelector('.gain output').value = `× ${viewer.gain}`;
        root.querySelector('.panel .largest').textContent = this.#largestWords().slice(2);
        root.querySelector('[data-do=largest]').textContent = viewer.differenceFailure
            ? 'try again' : 'go there';
        this.report.hidden = !viewer.region;
        root.querySelector('[data-do=play]').textContent = viewer.flickering ? 'pause' : 'play';
        this.#setPressed('loupe', viewer.loupe);
        this.#setPressed('region', viewer.regionTool);
        root.querySelector('[data-do=blind]').disabled = Boolean(blind) || viewer.a === viewer.b
            || !viewer.picture(viewer.a) || !viewer.picture(viewer.b);
        this.stage.classList.toggle('measuring', viewer.regionTool);
        this.stage.classList.toggle('fitted', viewer.fitted);
        this.#updateBlind();
        const description = this.#description();
        this.canvas.setAttribute('aria-label', description);
        this.stage.setAttribute('aria-label', `${description}. Keys: press ?`);
        if (description !== this.described) this.say(description);
        this.described = description;
    }

    #setPressed(action, on) {
        this.viewer.root.querySelector(`[data-do=${action}]`).setAttribute('aria-pressed', on);
    }

    #fillSelect(select) {
        const {viewer} = this;
        const options = viewer.entries.map((entry) => {
            const state = entry.failure ? ' – failed' : entry.ready ? '' : ' …';
            return [entry.key, entry.label + state];
        });
        const line = JSON.stringify(options);
        if (this.#lines.get(select) !== line) {
            this.#lines.set(select, line);
            select.replaceChildren(...options.map(([key, words]) => new Option(words, key)));
        }
        select.value = viewer[select.dataset.side];
        select.disabled = Boolean(viewer.blind);
    }

    #description() {
        const {viewer} = this;
        if (!viewer.photo) return 'Picture viewer';
        const [a, b] = [viewer.label(viewer.a), viewer.label(viewer.b)];
        if (viewer.blind) return viewer.blindWords;
        return {
            split: `Split: ${a} on the left, ${b} on the right`,
            grid: `Grid of ${viewer.entries.length} pictures`,
            flicker: `Flicker between ${a} and ${b}`,
            difference: `Difference of ${a} and ${b}, gain ${viewer.gain}${this.#largestWords()}`,
        }[viewer.mode];
    }

    #largestWords() {
        const {viewer} = this;
        if (viewer.mode !== 'difference' || viewer.blind) return '';
        if (!viewer.picture(viewer.a) || !viewer.picture(viewer.b)) return '';
        const found = viewer.difference();
        if (viewer.differenceFailure) {
            return `, the largest value is not known (${viewer.differenceFailure})`;
        }
        return found ? `, largest ${found.largest} of 255 at ${found.x}, ${found.y}` : '';
    }

    say(words) {
        this.spoken.textContent = words;
        this.flash = words;
        this.readout();
        clearTimeout(this.flashing);
        this.flashing = setTimeout(() => {
            this.flash = '';
            this.readout();
        }, 5000);
    }

    // Under the picture: the pixel under the pointer in A and B, and the scale.
    readout() {
        const {viewer} = this;
        if (!viewer.photo) return;
        const percent = 100 * viewer.scale;
        this.percent.textContent = `${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
        this.where.textContent = viewer.blind ? '' : this.#pixelWords() || this.flash
            || this.described || '';
        this.#drawLoupe();
    }

    #pixelWords() {
        const {viewer} = this;
        const {pointer} = viewer;
        if (!pointer) return '';
        const codes = ['a', 'b'].map((side) => {
            const picture = viewer.picture(viewer[side]);
            return picture && [...picture.pixels(pointer.x, pointer.y, 1, 1)].slice(0, 3);
        });
        const words = codes.map((code, side) => `${'AB'[side]} ${code ? code.join(' ') : '–'}`);
        const step = codes[0] && codes[1]
            ? Math.max(...codes[0].map((code, channel) => Math.abs(code - codes[1][channel])))
            : null;
        return `${pointer.x}, ${pointer.y}   ${words.join('   ')}`
            + (step === null ? '' : `   step ${step}`);
    }

    // Under the pointer, or in the upper corners where it would be covered.
    #drawLoupe() {
        const {viewer, loupe} = this;
        loupe.hidden = !(viewer.loupe && viewer.pointer && !viewer.blind);
        if (loupe.hidden) return;
        const {x, y} = viewer.pointer;
        const side = 2 * LOUPE_RADIUS + 1;
        for (const which of ['a', 'b']) {
            const canvas = loupe.querySelector(`canvas.${which}`);
            canvas.width = canvas.height = side * LOUPE_SCALE;
            const context = canvas.getContext('2d');
            const picture = viewer.picture(viewer[which]);
            const corner = {left: (LOUPE_RADIUS - x) * LOUPE_SCALE, top: (LOUPE_RADIUS - y) * LOUPE_SCALE};
            const box = {x: 0, y: 0, width: canvas.width, height: canvas.height};
            picture?.draw(context, box, corner.left, corner.top, LOUPE_SCALE);
            context.strokeStyle = '#fff';
            context.strokeRect(
                LOUPE_RADIUS * LOUPE_SCALE - 0.5, LOUPE_RADIUS * LOUPE_SCALE - 0.5,
                LOUPE_SCALE + 1, LOUPE_SCALE + 1,
            );
            const code = picture ? [...picture.pixels(x, y, 1, 1)].slice(0, 3).join(' ') : '–';
            canvas.nextElementSibling.textContent = `${which.toUpperCase()} ${code}`;
        }
    }

    // ---- region --------------------------------------------------------------------------------

    setRegion(region) {
        this.viewer.set({region, regionTool: false});
        this.reportRegion();
    }

    reportRegion() {
        return reportRegion(this.viewer, this.report);
    }

    // ---- blind test ----------------------------------------------------------------------------

    #updateBlind() {
        const {viewer, blindPanel} = this;
        blindPanel.hidden = !viewer.blind;
        if (!viewer.blind) return;
        const {test, showing} = viewer.blind;
        const button = (action, words, pressed) => `<button data-do="${action}"`
            + `${pressed === undefined ? '' : ` aria-pressed="${pressed}"`}>${words}</button>`;
        const show = ['a', 'b', 'x'].map((side) =>
            button(`show-${side}`, side.toUpperCase(), showing === side)).join('');
        blindPanel.innerHTML = '<p></p>' + (test.done ? '' : `<div class="group">${show}</div>
            <div class="answers">${button('answer-a', 'X is A')}${button('answer-b', 'X is B')}
            ${button('answer-x', 'I can’t tell')}</div>`)
            + button('end', test.done ? 'close' : 'end');
        blindPanel.querySelector('p').textContent = viewer.blindWords;
    }
}
