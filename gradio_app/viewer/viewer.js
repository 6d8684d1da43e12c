// The viewer: every rendering of one photo under one view. No build step, no dependency.
//
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
//   measuring.js       asks the worker, and always gets an answer or a reason
//   measure_worker.js  the worker
//   metrics.js         differences, PSNR and SSIM
//   differences.js     keeps the latest differences
//   area_report.js     the measurements of a rectangle
//   blind_test.js      X is secretly A or B
//   save.js            pictures as files
//   link.js            a view as a link
//
// Loaded by the page itself: drop_and_paste.js, connection_notice.js.

import {BlindTest, ROUNDS} from './blind_test.js';
import {Controls} from './controls.js';
import {Differences} from './differences.js';
import {Drawing} from './drawing.js';
import {
    GAP, clamp, clampedInside, contains, fittingScale, gridBoxes, nextStep, pixelAt, visiblePart,
    zoomed,
} from './geometry.js';
import {followGestures} from './gestures.js';
import {readLink, rememberVisit, writeLink} from './link.js';
import {Measuring} from './measuring.js';
import {LARGEST_GAIN} from './modes.js';
import {AS_STORED, Picture} from './picture.js';

const BLINK_EVERY = 500; // ms; more than three flashes a second can harm
const PREFERRED_RECIPES = ['int8_qat', 'int8_ptq', 'float16'];

export function attach(root) {
    root.viewer = new Viewer(root);
    return root.viewer;
}

export class Viewer {
    constructor(root) {
        this.root = root;
        this.photo = null;
        this.entries = [];
        this.pictures = new Map();
        this.problems = new Map();
        this.mode = 'split';
        this.a = null;
        this.b = null;
        this.scale = 1;
        this.centre = {x: 0, y: 0};
        this.fitted = true;
        this.divider = 0.5;
        this.gain = 8;
        this.blinkSide = 'b';
        this.blinking = !matchMedia('(prefers-reduced-motion: reduce)').matches;
        this.magnifier = false;
        this.regionTool = false;
        this.region = null;
        this.pointer = null;
        this.blind = null;
        this.measuring = new Measuring();
        this.differences = new Differences(this.measuring, () => this.#redraw());
        this.controls = new Controls(this);
        this.canvas = this.controls.canvas;
        this.drawing = new Drawing(this);
        followGestures(this);
        new ResizeObserver(() => this.#resize()).observe(this.controls.stage);
        setInterval(() => this.#blink(), BLINK_EVERY);
        this.#resize();
    }

    // ---- the pictures --------------------------------------------------------------------------

    // Takes a comparison from the server; called again as pictures become ready.
    show(comparison) {
        const isOther = comparison.photo !== this.photo?.photo;
        if (isOther) this.#forget();
        this.photo = comparison;
        rememberVisit(comparison);
        this.entries = comparison.pictures;
        if (isOther) {
            this.#begin();
        } else if (!this.entry(this.a) || !this.entry(this.b)) {
            this.blind = null; // its answers were about other pictures
            this.#chooseSides();
        }
        for (const entry of this.entries) if (entry.ready) this.#load(entry);
        this.#redraw();
    }

    #redraw() {
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
        const picture = this.pictures.get(key);
        return picture instanceof Picture ? picture : null;
    }

    entry(key) {
        return this.entries.find((entry) => entry.key === key);
    }

    label(key) {
        return this.entry(key)?.label ?? '';
    }

    #begin() {
        this.centre = {x: this.photo.width / 2, y: this.photo.height / 2};
        this.region = null;
        this.pointer = null;
        this.#chooseSides();
        this.fit();
        readLink(this);
    }

    #chooseSides() {
        const models = this.entries.filter((entry) => entry.kind === 'model');
        const preferred = PREFERRED_RECIPES.map(
            (recipe) => models.find((entry) => entry.name === recipe),
        );
        this.a = this.entry(this.a)?.key ?? this.entries[0].key;
        this.b = this.entry(this.b)?.key
            ?? (preferred.find(Boolean) ?? models.at(-1) ?? this.entries.at(-1)).key;
    }

    async #load(entry) {
        if (this.pictures.has(entry.key)) return;
        const request = {};
        this.pictures.set(entry.key, request);
        // The photo may have changed meanwhile; pictures of different photos have the same keys.
        const isCurrent = () => this.pictures.get(entry.key) === request;
        try {
            const picture = await Picture.load(entry.address);
            if (!isCurrent()) {
                picture.close();
                return;
            }
            this.pictures.set(entry.key, picture);
            this.problems.delete(entry.key);
        } catch (error) {
            if (!isCurrent()) return;
            this.pictures.delete(entry.key);
            this.problems.set(entry.key, error.message);
        }
        this.#redraw();
    }

    #forget() {
        for (const picture of this.pictures.values()) picture.close?.();
        this.pictures.clear();
        this.problems.clear();
        this.differences.clear();
        this.a = this.b = null;
        this.blind = null;
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
        this.set({[side]: key});
        if (this.region) this.controls.reportRegion();
    }

    swap() {
        if (this.blind) return;
        this.set({a: this.b, b: this.a});
        if (this.region) this.controls.reportRegion();
    }

    setGain(gain) {
        this.set({gain: clamp(gain, 1, LARGEST_GAIN)});
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
        this.centre = clampedInside(view.centre, this.photo);
        this.set({fitted: false});
    }

    step(direction, at = null) {
        const scale = nextStep(this.scale, direction);
        if (scale) this.zoomTo(scale, at);
    }

    // Moves the view by device pixels.
    pan(dx, dy) {
        const centre = {x: this.centre.x - dx / this.scale, y: this.centre.y - dy / this.scale};
        this.centre = clampedInside(centre, this.photo);
        this.set({fitted: false});
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
        else this.drawing.draw();
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

    // PSNR, SSIM and largest difference of every loaded picture to B within a region. Rejects with
    // an Error when the browser cannot compute them.
    async measureRegion({x, y, width, height}) {
        const crop = (key) => createImageBitmap(
            this.picture(key).levels[0], x, y, width, height, AS_STORED,
        );
        const {b} = this;
        if (!this.picture(b)) return [];
        const others = this.ready.filter((entry) => entry.key !== b);
        return Promise.all(others.map(async (entry) => {
            const [one, other] = await Promise.all([crop(entry.key), crop(b)]);
            return {entry, ...await this.measuring.ask('metrics', one, other)};
        }));
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
