// The viewer: every rendering of one photo under one view. No build step, no dependency.
//   viewer.js          what is chosen and which part is visible
//   modes.js           the ways of showing A and B
//   geometry.js        where pictures lie on the canvas
//   drawing.js         draws what is chosen
//   canvas_marks.js    labels, the divider's handle, rectangles
//   controls.js        buttons, keys and what they report
//   template.js        the HTML of the controls and the list of keys
//   magnifier.js       a few pixels of A and B, enlarged
//   gestures.js        mouse, pen and fingers
//   picture.js         one lossless picture
//   pictures.js        those that are loaded
//   measuring.js       asks the worker, and always gets an answer or a reason
//   measure_worker.js  the worker
//   metrics.js         differences, PSNR and SSIM
//   differences.js     keeps the latest differences
//   area_report.js     the measurements of a rectangle
//   blind_test.js      X is secretly A or B
//   sides.js           which pictures are A and B at first
//   strength.js        a rendering mixed with the photo
//   focus.js           what is to be sharp
//   save.js            pictures as files
//   link.js            a view as a link
//
// Loaded by the page itself: opening.js (with photo_files.js, drop_and_paste.js and opening.css) and
// connection_notice.js.

import {BlindTest, ROUNDS} from './blind_test.js';
import {Controls} from './controls.js';
import {Differences} from './differences.js';
import {Drawing} from './drawing.js';
import {
    GAP, clamp, contains, fittingScale, gridBoxes, keptInFrame, nextStep, pixelAt, visiblePart,
    zoomed,
} from './geometry.js';
import {focusAfterTap} from './focus.js';
import {followGestures} from './gestures.js';
import {readLink, rememberVisit, writeLink} from './link.js';
import {Measuring} from './measuring.js';
import {LARGEST_GAIN} from './modes.js';
import {Pictures} from './pictures.js';
import {addedModel, chosenSides} from './sides.js';
import {Mixture} from './strength.js';

const BLINK_EVERY = 500; // ms; more than three flashes a second can harm

// `ask` sends a wish to the server: {example: name}, or {focus: [x, y] or null}.
export function attach(root, ask = () => {}) {
    root.viewer = new Viewer(root);
    root.viewer.ask = ask;
    return root.viewer;
}

export class Viewer {
    constructor(root) {
        this.root = root;
        this.photo = null;
        this.entries = [];
        this.pictures = new Pictures(() => this.#redraw());
        this.mode = 'before';
        this.a = null;
        this.b = null;
        this.scale = 1;
        this.centre = {x: 0, y: 0};
        this.fitted = true;
        this.divider = 0.5;
        this.gain = 8;
        this.strength = 1;
        this.focus = null;
        this.focusedAt = -Infinity;
        this.isInSight = false;
        this.isUsed = false;
        this.blinkSide = 'b';
        this.blinking = !matchMedia('(prefers-reduced-motion: reduce)').matches;
        this.magnifier = false;
        this.regionTool = false;
        this.region = null;
        this.pointer = null;
        this.blind = null;
        this.blindResult = '';
        this.measuring = new Measuring();
        this.differences = new Differences(this.measuring, () => this.#redraw());
        this.controls = new Controls(this);
        this.canvas = this.controls.canvas;
        this.drawing = new Drawing(this);
        followGestures(this);
        new ResizeObserver(() => this.#resize()).observe(this.controls.stage);
        setInterval(() => this.#blink(), BLINK_EVERY);
        this.#waitUntilInSight();
        this.#resize();
    }

    // ---- the pictures --------------------------------------------------------------------------

    // Takes a comparison from the server; called again as pictures become ready.
    show(comparison) {
        const isOther = comparison.photo !== this.photo?.photo;
        if (isOther) this.#forget();
        const before = this.entries;
        this.photo = comparison;
        rememberVisit(comparison);
        this.entries = comparison.pictures;
        this.#forgetOutdated(before);
        this.focus = comparison.focus;
        if (isOther) {
            this.#begin();
        } else if (!this.entry(this.a) || !this.entry(this.b)) {
            this.blind = null; // its answers were about other pictures
            Object.assign(this, chosenSides(this.entries, this));
        }
        if (!isOther) this.b = addedModel(before, this.entries) ?? this.b;
        this.#redraw();
        document.dispatchEvent(new CustomEvent('pocket-bokeh-shows', {detail: comparison}));
    }

    #redraw() {
        if (this.photo) this.#loadWanted();
        this.controls.update();
        this.draw();
    }

    draw() {
        this.drawing.request();
    }

    // The entries whose pictures are loaded, in the server's order.
    get ready() {
        return this.entries.filter((entry) => this.picture(entry.key));
    }

    picture(key) {
        return this.pictures.get(key);
    }

    // A loaded picture as it is to be shown: a rendering at the chosen strength.
    shown(key) {
        const picture = this.picture(key);
        const photo = this.picture(this.entries[0]?.key);
        const isWhole = this.strength === 1 || this.entry(key)?.kind !== 'model';
        return isWhole || !picture || !photo ? picture : new Mixture(photo, picture, this.strength);
    }

    entry(key) {
        return this.entries.find((entry) => entry.key === key);
    }

    label(key) {
        return this.entry(key)?.label ?? '';
    }

    #begin() {
        const link = location.hash.slice(1);
        this.centre = {x: this.photo.width / 2, y: this.photo.height / 2};
        this.region = null;
        this.pointer = null;
        Object.assign(this, chosenSides(this.entries, this));
        this.fit();
        readLink(this, link);
    }

    // Pictures that were rendered with another focus.
    #forgetOutdated(before) {
        for (const {key, address} of before) {
            const entry = this.entry(key);
            if (!entry || entry.address === address) continue;
            this.pictures.forget(key);
            this.differences.clear();
            this.region = null;
            this.blind = null;
            this.blindResult = '';
        }
    }

    // Only what is shown, until the visitor does something here: lossless pictures are large.
    #loadWanted() {
        const isWhole = this.isUsed || this.mode === 'grid';
        const first = [this.entries[0].key, this.a, this.b];
        for (const entry of this.entries) {
            const isWanted = isWhole || first.includes(entry.key);
            if (entry.ready && this.isInSight && isWanted) this.pictures.load(entry);
        }
    }

    // The visitor has begun to use the viewer.
    use() {
        if (this.isUsed) return;
        this.isUsed = true;
        this.isInSight = true;
        this.#redraw();
    }

    #waitUntilInSight() {
        const observer = new IntersectionObserver((seen) => {
            if (!seen.some((each) => each.isIntersecting)) return;
            observer.disconnect();
            this.isInSight = true;
            this.#redraw();
        });
        observer.observe(this.controls.stage);
    }

    #forget() {
        this.pictures.clear();
        this.differences.clear();
        this.a = this.b = null;
        this.blind = null;
        this.blindResult = '';
    }

    // ---- what is chosen ------------------------------------------------------------------------

    set(changes) {
        Object.assign(this, changes);
        this.#redraw();
        if (!this.blind) writeLink(this);
    }

    setMode(mode) {
        if (this.blind) return;
        this.mode = mode;
        this.differences.retry();
        if (this.fitted && this.photo) this.fit();
        else this.set({});
    }

    choose(side, key) {
        if (!this.entry(key) || this.blind) return;
        this.differences.retry();
        if (side === 'a' && this.mode === 'before') this.mode = 'split';
        this.set({[side]: key});
        if (this.region) this.controls.reportRegion();
    }

    swap() {
        if (this.blind) return;
        if (this.mode === 'before') this.mode = 'split';
        this.set({a: this.b, b: this.a});
        if (this.region) this.controls.reportRegion();
    }

    setGain(gain) {
        this.set({gain: clamp(gain, 1, LARGEST_GAIN)});
    }

    setStrength(strength) {
        this.set({strength: clamp(strength, 0, 1)});
    }

    // Has all models render anew with a pixel in focus; on the same place again: automatically.
    focusOn(pixel) {
        if (!this.photo.takesFocus || this.blind || !pixel) return;
        this.#askFocus(focusAfterTap(this.focus, pixel, this.photo));
    }

    focusAutomatically() {
        if (this.focus) this.#askFocus(null);
    }

    #askFocus(focus) {
        this.focusedAt = performance.now();
        this.set({focus});
        this.ask({focus});
        this.controls.say(focus ? 'In focus: the ringed place.' : 'The model finds the subject.');
    }

    // What B is shown beside: the photo before / after, otherwise A.
    get left() {
        return this.mode === 'before' ? this.entries[0]?.key : this.a;
    }

    sideName(side) {
        return this.mode === 'before' ? {a: 'photo', b: 'result'}[side] : side.toUpperCase();
    }

    // Whether the divider is shown.
    get hasDivider() {
        return ['before', 'split'].includes(this.mode) && !this.blind;
    }

    switchSide() {
        this.set({blinking: false, blinkSide: this.blinkSide === 'a' ? 'b' : 'a'});
    }

    #blink() {
        if (this.mode !== 'blink' || !this.blinking || this.blind || document.hidden) return;
        this.blinkSide = this.blinkSide === 'a' ? 'b' : 'a';
        this.draw();
    }

    // ---- the visible part ----------------------------------------------------------------------

    fit() {
        const box = this.boxes()[0]?.box ?? this.whole;
        this.scale = fittingScale(this.photo, box, this.mode === 'grid' ? 0 : 2 * GAP);
        this.centre = {x: this.photo.width / 2, y: this.photo.height / 2};
        this.set({fitted: true});
    }

    // Zooms; the picture's point under `at` (device pixels) stays in place.
    zoomTo(scale, at = null) {
        if (!this.photo) return;
        const box = at ? this.boxAt(at) : null;
        const offset = box
            ? {x: at.x - (box.x + box.width / 2), y: at.y - (box.y + box.height / 2)}
            : undefined;
        const view = zoomed(this, scale, offset);
        this.scale = view.scale;
        this.centre = this.#kept(view);
        this.set({fitted: false});
    }

    step(direction, at = null) {
        const scale = nextStep(this.scale, direction);
        if (scale) this.zoomTo(scale, at);
    }

    // Moves the view by device pixels.
    pan(dx, dy) {
        if (this.fitted) return;
        const centre = {x: this.centre.x - dx / this.scale, y: this.centre.y - dy / this.scale};
        this.centre = this.#kept({scale: this.scale, centre});
        this.set({});
    }

    #kept(view) {
        return keptInFrame(view, this.photo, this.boxes()[0].box);
    }

    lookAt(x, y, scale = this.scale) {
        this.centre = {x: x + 0.5, y: y + 0.5};
        this.zoomTo(scale);
    }

    // The picture's pixel under a point of the canvas; null outside the picture.
    pixelAt(point) {
        const box = this.photo && this.boxAt(point);
        return box ? pixelAt(this, box, point, this.photo) : null;
    }

    // The pixel in the middle of the visible part.
    get middle() {
        const {x, y, width, height} = this.visible;
        return {x: Math.floor(x + width / 2), y: Math.floor(y + height / 2)};
    }

    get visible() {
        return visiblePart(this, this.boxes()[0].box, this.photo);
    }

    boxAt(point) {
        return this.boxes().find(({box}) => contains(box, point))?.box;
    }

    // The canvas's boxes; in the grid each with its entry.
    boxes() {
        if (this.mode !== 'grid' || this.blind) return [{box: this.whole}];
        const entries = this.entries.filter((entry) => !entry.failure);
        const boxes = gridBoxes(this.whole, this.photo, entries.length);
        return entries.map((entry, index) => ({entry, box: boxes[index]}));
    }

    get whole() {
        return {x: 0, y: 0, width: this.canvas.width, height: this.canvas.height};
    }

    #resize() {
        const {clientWidth, clientHeight} = this.controls.stage;
        this.density = window.devicePixelRatio || 1;
        this.canvas.width = Math.max(1, Math.round(clientWidth * this.density));
        this.canvas.height = Math.max(1, Math.round(clientHeight * this.density));
        if (!this.photo) return;
        if (this.fitted) this.fit();
        else {
            this.centre = this.#kept(this);
            this.drawing.draw();
        }
    }

    // ---- measurements --------------------------------------------------------------------------

    get #pair() {
        return [this.a, this.b].toSorted().join('~');
    }

    // The difference of A and B, which must both be loaded; see `Differences.of`.
    difference() {
        return this.differences.of(this.#pair, this.picture(this.a), this.picture(this.b));
    }

    // Why the difference of A and B could not be computed; empty otherwise.
    get differenceFailure() {
        return this.differences.failure(this.#pair);
    }

    retryDifference() {
        this.differences.retry();
        this.#redraw();
    }

    // ---- blind test ----------------------------------------------------------------------------

    get canBeginBlindTest() {
        return Boolean(
            !this.blind && this.a !== this.b && this.picture(this.a) && this.picture(this.b),
        );
    }

    beginBlindTest() {
        if (!this.canBeginBlindTest) return;
        this.region = null;
        this.magnifier = false;
        this.set({blind: {test: new BlindTest(), showing: 'x'}});
    }

    showBlind(which) {
        if (!this.blind || this.blind.test.done) return;
        this.blind.showing = which;
        this.set({});
    }

    answerBlind(choice) {
        if (!this.blind) return;
        this.blind.test.answer(choice);
        if (this.blind.test.done) {
            this.blindResult = this.blind.test.outcome(this.label(this.a), this.label(this.b));
        }
        this.blind.showing = this.blind.test.done ? 'a' : 'x';
        this.set({});
    }

    endBlindTest() {
        this.set({blind: null});
    }

    get blindText() {
        const {test} = this.blind;
        return test.done
            ? test.verdict(this.label(this.a), this.label(this.b))
            : `Round ${test.round + 1} of ${ROUNDS}: X is secretly A or B. `
                + 'Look at all three, then say which.';
    }
}
