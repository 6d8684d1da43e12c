// The viewer's buttons, keys and readouts. Every button has a key.

import {reportRegion} from './area_report.js';
import {clamp} from './geometry.js';
import {copyLink} from './link.js';
import {drawMagnifier} from './magnifier.js';
import {MODES} from './modes.js';
import {saveJpeg, savePng, saveView} from './save.js';
import {HELP, TEMPLATE} from './template.js';

const MESSAGE_SHOWN = 5000; // ms

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
        this.magnifier = find('.stage > .magnifier');
        this.gainInput = find('.gain input');
        this.strengthInput = find('.strength input');
        this.verdict = find('.verdict');
        this.help.innerHTML = HELP;
        for (const select of viewer.root.querySelectorAll('select')) {
            select.onchange = () => viewer.choose(select.dataset.side, select.value);
        }
        this.strengthInput.oninput = () => {
            viewer.use();
            viewer.setStrength(Number(this.strengthInput.value));
        };
        this.gainInput.oninput = () => viewer.setGain(2 ** this.gainInput.value);
        viewer.root.addEventListener('click', (event) => this.#click(event));
        document.addEventListener('keydown', (event) => this.#keyDown(event));
        document.addEventListener('pointerdown', (event) => this.#closeMenu(event.target));
    }

    // What each list of pictures holds, so that it is only filled when that changes.
    #options = new Map();

    // ---- what buttons and keys do --------------------------------------------------------------

    actions = {
        swap: () => this.viewer.swap(),
        out: () => this.viewer.step(-1),
        in: () => this.viewer.step(1),
        fit: () => this.viewer.fit(),
        actual: () => this.viewer.zoomTo(1),
        largest: () => this.#showLargest(),
        switch: () => this.viewer.switchSide(),
        play: () => this.viewer.set({blinking: !this.viewer.blinking}),
        magnifier: () => this.#toggleMagnifier(),
        region: () => this.viewer.set({regionTool: !this.viewer.regionTool}),
        measure: () => this.reportRegion(),
        visible: () => this.setRegion(this.viewer.visible),
        clear: () => this.setRegion(null),
        blind: () => this.viewer.beginBlindTest(),
        png: () => savePng(this.viewer, this.viewer.b),
        jpeg: () => saveJpeg(this.viewer, this.viewer.b),
        view: () => saveView(this.viewer),
        link: async () => this.say(await copyLink(this.viewer)),
        help: () => this.#toggleHelp(),
        focus: () => this.viewer.focusOn(this.viewer.pointer ?? this.viewer.middle),
        automatic: () => this.viewer.focusAutomatically(),
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
        this.viewer.use();
        if (button.dataset.mode) this.viewer.setMode(button.dataset.mode);
        else this.#perform(this.actions[button.dataset.do]);
        button.closest('details')?.removeAttribute('open');
    }

    // Reports an action that failed.
    async #perform(action) {
        try {
            await action?.();
        } catch (error) {
            this.say(`That did not work: ${error.message}.`);
        }
    }

    // Keys work wherever nobody types. What a focused control does with a key itself goes first.
    #keyDown(event) {
        if (!this.viewer.photo || event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.defaultPrevented || keepsKey(event.target, event.key)) return;
        if (this.#turnRadio(event)) return;
        if (this.#press(event.key.toLowerCase(), event.shiftKey, event.code)) {
            this.viewer.use();
            event.preventDefault();
        }
    }

    // The arrow keys go round the buttons of a radio group, as in forms.
    #turnRadio(event) {
        const {target, key} = event;
        const by = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[key];
        if (!by || target.getAttribute?.('role') !== 'radio' || !target.dataset.mode) return false;
        const index = MODES.findIndex(({name}) => name === target.dataset.mode) + by;
        const {name} = MODES.at(index % MODES.length);
        this.viewer.use();
        this.viewer.setMode(name);
        this.viewer.root.querySelector(`[data-mode=${name}]`).focus();
        event.preventDefault();
        return true;
    }

    // The menu closes with Escape and by a click beside it.
    #closeMenu(target) {
        const menu = this.viewer.root.querySelector('.menu');
        if (target && menu.contains(target)) return false;
        const wasOpen = menu.open;
        menu.open = false;
        return wasOpen;
    }

    // Returns whether the key means something.
    #press(key, shift, code) {
        if (this.viewer.blind) return this.#pressInBlindTest(key, shift);
        const digit = /^Digit([1-9])$/.exec(code)?.[1];
        if (digit) {
            this.viewer.choose(shift ? 'a' : 'b', this.viewer.entries[digit - 1]?.key);
            return true;
        }
        const mode = MODES.find((each) => each.key === key);
        if (mode) {
            this.viewer.setMode(mode.name);
            return true;
        }
        const action = this.#keyAction(key, shift ? 200 : 40);
        this.#perform(action);
        return Boolean(action);
    }

    #keyAction(key, distance) {
        const {viewer, actions} = this;
        return {
            x: actions.swap, '+': actions.in, '=': actions.in, '-': actions.out,
            '0': actions.fit, z: actions.actual, m: actions.largest, ' ': actions.switch,
            p: actions.play, l: actions.magnifier, r: actions.region, enter: actions.visible,
            t: actions.blind, w: actions.png, j: actions.jpeg, c: actions.view,
            k: actions.link, '?': actions.help,
            f: actions.focus,
            '<': () => viewer.setStrength(viewer.strength - 0.1),
            '>': () => viewer.setStrength(viewer.strength + 0.1),
            '[': () => viewer.setGain(viewer.gain / 2),
            ']': () => viewer.setGain(viewer.gain * 2),
            ',': () => this.#moveDivider(-0.02),
            '.': () => this.#moveDivider(0.02),
            arrowleft: () => viewer.pan(distance, 0),
            arrowright: () => viewer.pan(-distance, 0),
            arrowup: () => viewer.pan(0, distance),
            arrowdown: () => viewer.pan(0, -distance),
            escape: () => this.#escape(),
        }[key];
    }

    #pressInBlindTest(key, shift) {
        if (key === 'escape') this.actions.end();
        else if ('abx'.includes(key)) this.actions[`${shift ? 'answer' : 'show'}-${key}`]();
        else if (key === '+' || key === '=') this.actions.in();
        else if (key === '-') this.actions.out();
        else if (key === '0') this.actions.fit();
        else if (key === 'z') this.actions.actual();
        else return false;
        return true;
    }

    #escape() {
        if (this.#closeMenu(null)) return;
        if (!this.help.hidden) this.#toggleHelp();
        else if (this.viewer.regionTool || this.viewer.region) this.setRegion(null);
        else if (this.viewer.magnifier) this.#toggleMagnifier();
    }

    #toggleHelp() {
        this.help.hidden = !this.help.hidden;
        if (!this.help.hidden) this.help.querySelector('button').focus();
        else this.stage.focus();
    }

    #toggleMagnifier() {
        const {viewer} = this;
        const {centre} = viewer;
        viewer.pointer ??= {x: Math.floor(centre.x), y: Math.floor(centre.y)};
        viewer.set({magnifier: !viewer.magnifier});
    }

    #moveDivider(by) {
        this.viewer.set({divider: clamp(this.viewer.divider + by, 0, 1)});
    }

    #showLargest() {
        const {viewer} = this;
        if (!viewer.picture(viewer.a) || !viewer.picture(viewer.b)) return;
        if (viewer.differenceFailure) viewer.retryDifference();
        const found = viewer.difference();
        if (!found) return;
        viewer.pointer = {x: found.x, y: found.y};
        viewer.magnifier = true;
        viewer.lookAt(found.x, found.y, Math.max(8, viewer.scale));
    }

    // ---- what the controls report --------------------------------------------------------------

    update() {
        const {viewer} = this;
        viewer.root.dataset.mode = viewer.blind ? 'blind' : viewer.mode;
        for (const select of viewer.root.querySelectorAll('select')) this.#fillSelect(select);
        this.#updateButtons();
        this.gainInput.value = Math.log2(viewer.gain);
        viewer.root.querySelector('.gain output').value = `× ${viewer.gain}`;
        viewer.root.querySelector('.panel .largest').textContent = this.#largestText();
        this.#updateEffect();
        this.#updateVerdict();
        this.report.hidden = !viewer.region;
        this.stage.classList.toggle('measuring', viewer.regionTool);
        this.stage.classList.toggle('fitted', viewer.fitted);
        this.#updateBlindTest();
        const description = this.#description();
        this.canvas.setAttribute('aria-label', description);
        this.stage.setAttribute('aria-label', `${description}. Keys: press ?`);
        if (description !== this.description) this.say(description);
        this.description = description;
    }

    #updateEffect() {
        const {viewer} = this;
        this.strengthInput.value = viewer.strength;
        const percent = `${Math.round(100 * viewer.strength)} %`;
        this.strengthInput.setAttribute('aria-valuetext', percent);
        viewer.root.querySelector('.strength output').value = percent;
        const focus = viewer.root.querySelector('.group.focus');
        focus.hidden = !viewer.photo?.takesFocus || Boolean(viewer.blind);
        focus.querySelector('[data-do=automatic]').hidden = !viewer.focus;
        focus.querySelector('.focus-hint').hidden = Boolean(viewer.focus);
    }

    #updateVerdict() {
        const {viewer} = this;
        const text = [viewer.photo?.verdict, viewer.blindResult].filter(Boolean).join(' ');
        this.verdict.hidden = !text || Boolean(viewer.blind);
        const paragraph = this.verdict.querySelector('p');
        if (paragraph.textContent !== text) paragraph.textContent = text;
    }

    #updateButtons() {
        const {viewer} = this;
        const isBlind = Boolean(viewer.blind);
        const button = (action) => viewer.root.querySelector(`[data-do=${action}]`);
        for (const each of viewer.root.querySelectorAll('[data-mode]')) {
            const isChosen = each.dataset.mode === viewer.mode;
            each.setAttribute('aria-checked', String(isChosen));
            each.tabIndex = isChosen ? 0 : -1;
            each.disabled = isBlind;
        }
        for (const action of ['swap', 'magnifier', 'region']) button(action).disabled = isBlind;
        button('blind').disabled = !viewer.canBeginBlindTest;
        button('magnifier').setAttribute('aria-pressed', viewer.magnifier);
        button('region').setAttribute('aria-pressed', viewer.regionTool);
        button('play').textContent = viewer.blinking ? 'Pause' : 'Start';
        button('largest').textContent = viewer.differenceFailure ? 'Try again' : 'Show it';
    }

    #fillSelect(select) {
        const {viewer} = this;
        const options = viewer.entries.map((entry) => {
            const state = entry.failure ? ' – failed' : entry.ready ? '' : ' …';
            return {label: entry.label + state, key: entry.key, name: entry.name};
        });
        const text = JSON.stringify(options);
        if (this.#options.get(select) !== text) {
            this.#options.set(select, text);
            select.replaceChildren(...options.map(({label, key, name}) =>
                Object.assign(new Option(label, key), {title: name})));
        }
        select.value = viewer[select.dataset.side];
        select.title = viewer.entry(select.value)?.name ?? '';
        select.disabled = Boolean(viewer.blind);
    }

    #description() {
        const {viewer} = this;
        if (!viewer.photo) return 'Picture viewer';
        if (viewer.blind) return viewer.blindText;
        const [a, b] = [viewer.label(viewer.a), viewer.label(viewer.b)];
        const largest = this.#largestText();
        const photo = viewer.label(viewer.entries[0]?.key);
        return {
            before: `Before / after: ${photo} on the left, ${b} on the right`,
            split: `Side by side: ${a} on the left, ${b} on the right`,
            grid: `Grid of ${viewer.entries.length} pictures`,
            blink: `Blink: ${a} and ${b} in turn`,
            difference: `Difference, ${viewer.gain} × amplified: ${a} and ${b}`
                + (largest && `. ${largest}`),
        }[viewer.mode];
    }

    #largestText() {
        const {viewer} = this;
        if (viewer.mode !== 'difference' || viewer.blind) return '';
        if (!viewer.picture(viewer.a) || !viewer.picture(viewer.b)) return '';
        const found = viewer.difference();
        if (viewer.differenceFailure) {
            return `Largest difference unknown (${viewer.differenceFailure})`;
        }
        return found ? `Largest difference ${found.largest} of 255` : '';
    }

    // Shows a message for a few seconds and lets screen readers read it.
    say(message) {
        this.spoken.textContent = message;
        this.message = message;
        this.readout();
        clearTimeout(this.messageTimer);
        this.messageTimer = setTimeout(() => {
            this.message = '';
            this.readout();
        }, MESSAGE_SHOWN);
    }

    // Below the picture: the values of A and B under the pointer, and the scale.
    readout() {
        const {viewer} = this;
        if (!viewer.photo) return;
        const percent = 100 * viewer.scale;
        this.percent.textContent = `${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
        this.where.textContent = viewer.blind ? '' : this.#pixelText() || this.message
            || this.description || '';
        drawMagnifier(viewer, this.magnifier);
    }

    #pixelText() {
        const {viewer} = this;
        const {pointer} = viewer;
        if (!pointer) return '';
        const [one, other] = [viewer.left, viewer.b].map(
            (key) => viewer.shown(key)?.rgb(pointer.x, pointer.y),
        );
        const text = `${pointer.x}, ${pointer.y}   ${viewer.sideName('a')} ${one?.join(' ') ?? '–'}`
            + `   ${viewer.sideName('b')} ${other?.join(' ') ?? '–'}`;
        if (!one || !other) return text;
        const largest = Math.max(...one.map((value, channel) => Math.abs(value - other[channel])));
        return `${text}   difference ${largest}`;
    }

    // ---- measuring an area ---------------------------------------------------------------------

    setRegion(region) {
        this.viewer.set({region, regionTool: false});
        this.reportRegion();
    }

    reportRegion() {
        return reportRegion(this.viewer, this.report);
    }

    // ---- blind test ----------------------------------------------------------------------------

    #updateBlindTest() {
        const {viewer, blindPanel} = this;
        blindPanel.hidden = !viewer.blind;
        if (!viewer.blind) return;
        const {test, showing} = viewer.blind;
        const button = (action, label, isPressed) => `<button data-do="${action}"`
            + `${isPressed === undefined ? '' : ` aria-pressed="${isPressed}"`}>${label}</button>`;
        const sides = ['a', 'b', 'x'].map((side) =>
            button(`show-${side}`, side.toUpperCase(), showing === side)).join('');
        blindPanel.innerHTML = '<p></p>' + (test.done ? '' : `<div class="group">${sides}</div>
            <div class="answers">${button('answer-a', 'X is A')}${button('answer-b', 'X is B')}
            ${button('answer-x', 'I can’t tell')}</div>`)
            + button('end', test.done ? 'Close' : 'End');
        blindPanel.querySelector('p').textContent = viewer.blindText;
    }
}

const TYPED_INTO = 'textarea, [contenteditable=true], '
    + 'input:not([type=checkbox], [type=radio], [type=range], [type=file], [type=button])';
const PRESSABLE = 'button, summary, a, [role=tab], [role=button], input[type=file]';
const OF_INPUTS = [
    ' ', 'Enter', 'Home', 'End', 'PageUp', 'PageDown', 'ArrowLeft', 'ArrowRight', 'ArrowUp',
    'ArrowDown',
];

// Whether a focused element does something with a key itself.
function keepsKey(element, key) {
    if (!element.matches) return false;
    if (element.matches(TYPED_INTO)) return true;
    if (element.matches('select')) return key.length === 1 || OF_INPUTS.includes(key);
    if (element.matches('input, [role=tab]')) return OF_INPUTS.includes(key);
    return element.matches(PRESSABLE) && (key === ' ' || key === 'Enter');
}
