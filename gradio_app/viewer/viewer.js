// The viewer: all outputs of one photograph under one view. No build step, no dependency.
//
//   viewer.js      what is shown and how it is drawn
//   controls.js    buttons, keys and what they say
//   gestures.js    mouse, pen and fingers
//   picture.js     one picture without loss
//   measure.js     a worker: differences and figures
//   measurer.js    asks the worker
//   differences.js the last few differences
//   region.js      the figures of a rectangle
//   blind_test.js  X is A or B
//   save.js        files and links
//
// A view is a scale in device pixels per picture pixel and the point of the picture in its middle;
// all pictures share it, so that a switch never moves anything.

import {BlindTest, ROUNDS} from './blind_test.js';
import {Controls} from './controls.js';
import {Differences} from './differences.js';
import {followGestures} from './gestures.js';
import {Measurer} from './measurer.js';
import {Picture} from './picture.js';
import {readLink, remember, writeLink} from './save.js';

export const MODES = ['split', 'grid', 'flicker', 'difference'];
export const COLOURS = {a: '#f5a524', b: '#4cb5f5'};
const LARGEST_SCALE = 64;
const SCALES = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16, 32, 64];
const FLICKER_EVERY = 500; // ms; faster than three changes a second can harm
const GAP = 6;
const FONT = '"IBM Plex Sans", system-ui, sans-serif';
const PREFERRED = ['int8_qat', 'int8_ptq', 'float16'];

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
        this.flickerSide = 'b';
        this.flickering = !matchMedia('(prefers-reduced-motion: reduce)').matches;
        this.loupe = false;
        this.regionTool = false;
        this.region = null;
        this.pointer = null;
        this.blind = null;
        this.drawMilliseconds = 0;
        this.measurer = new Measurer();
        this.differences = new Differences(this.measurer, () => this.#redraw());
        this.controls = new Controls(this);
        this.canvas = this.controls.canvas;
        this.context = this.canvas.getContext('2d');
        followGestures(this);
        new ResizeObserver(() => this.#resize()).observe(this.controls.stage);
        setInterval(() => this.#flick(), FLICKER_EVERY);
        this.#resize();
    }

    #drawing = false;

    // ---- what there is -------------------------------------------------------------------------

    // Takes what the server says about a comparison; called again as pictures become ready.
    show(comparison) {
        const other = comparison.photo !== this.photo?.photo;
        if (other) this.#forget();
        this.photo = comparison;
        remember(comparison);
        this.entries = comparison.pictures;
        if (other) {
            this.#begin();
        } else if (!this.#entry(this.a) || !this.#entry(this.b)) {
            this.blind = null; // its answers were about other pictures
            this.#choose();
        }
        for (const entry of this.entries) if (entry.ready) this.#load(entry);
        this.#redraw();
    }

    #redraw() {
        this.controls.update();
        this.draw();
    }

    // The pictures that can be looked at, in the server's order.
    get ready() {
        return this.entries.filter((entry) => this.pictures.get(entry.key) instanceof Picture);
    }

    picture(key) {
        const picture = this.pictures.get(key);
        return picture instanceof Picture ? picture : null;
    }

    label(key) {
        return this.#entry(key)?.label ?? '';
    }

    #entry(key) {
        return this.entries.find((entry) => entry.key === key);
    }

    #begin() {
        this.centre = {x: this.photo.width / 2, y: this.photo.height / 2};
        this.region = null;
        this.pointer = null;
        this.#choose();
        this.fit();
        readLink(this);
    }

    #choose() {
        const models = this.entries.filter((entry) => entry.kind === 'model');
        const preferred = PREFERRED.map((label) => models.find((entry) => entry.label === label));
        this.a = this.#entry(this.a)?.key ?? this.entries[0].key;
        this.b = this.#entry(this.b)?.key
            ?? (preferred.find(Boolean) ?? models.at(-1) ?? this.entries.at(-1)).key;
    }

    async #load(entry) {
        if (this.pictures.has(entry.key)) return;
        const loading = {};
        this.pictures.set(entry.key, loading);
        // Another photo may have come meanwhile; its pictures have the same keys.
        const awaited = () => this.pictures.get(entry.key) === loading;
        try {
            const picture = await Picture.load(entry.address);
            if (!awaited()) {
                picture.close();
                return;
            }
            this.pictures.set(entry.key, picture);
            this.problems.delete(entry.key);
        } catch (error) {
            if (!awaited()) return;
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
        if (!this.#entry(key) || this.blind) return;
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
        this.set({gain: Math.min(64, Math.max(1, gain))});
    }

    flip() {
        this.set({flickering: false, flickerSide: this.flickerSide === 'a' ? 'b' : 'a'});
    }

    #flick() {
        if (this.mode !== 'flicker' || !this.flickering || this.blind || document.hidden) return;
        this.flickerSide = this.flickerSide === 'a' ? 'b' : 'a';
        this.draw();
    }

    // ---- where one looks -----------------------------------------------------------------------

    fit() {
        const box = this.boxes()[0]?.box ?? this.#whole();
        const margin = this.mode === 'grid' ? 0 : 2 * GAP;
        this.scale = Math.min(
            1, (box.width - margin) / this.photo.width, (box.height - margin) / this.photo.height,
        );
        if (this.scale <= 0) this.scale = 1;
        // Small pictures are shown larger, by whole steps.
        const room = Math.min(box.width / this.photo.width, box.height / this.photo.height);
        if (room >= 2) this.scale = Math.min(8, Math.floor(room));
        this.centre = {x: this.photo.width / 2, y: this.photo.height / 2};
        this.set({fitted: true});
    }

    // Zooms; the picture's point under `at` (device pixels) stays there.
    zoomTo(scale, at = null) {
        if (!this.photo) return;
        const least = Math.min(...SCALES, this.scale);
        const next = Math.min(LARGEST_SCALE, Math.max(least, scale));
        const box = at ? this.boxAt(at) : null;
        if (box) {
            const dx = at.x - (box.x + box.width / 2);
            const dy = at.y - (box.y + box.height / 2);
            this.centre.x += dx / this.scale - dx / next;
            this.centre.y += dy / this.scale - dy / next;
        }
        this.scale = next;
        this.#stayInside();
        this.set({fitted: false});
    }

    step(direction, at = null) {
        const further = direction > 0
            ? SCALES.find((scale) => scale > this.scale * 1.001)
            : SCALES.findLast((scale) => scale < this.scale * 0.999);
        if (further) this.zoomTo(further, at);
    }

    // Moves the view by device pixels.
    pan(dx, dy) {
        this.centre.x -= dx / this.scale;
        this.centre.y -= dy / this.scale;
        this.#stayInside();
        this.set({fitted: false});
    }

    lookAt(x, y, scale = this.scale) {
        this.centre = {x: x + 0.5, y: y + 0.5};
        this.zoomTo(scale);
    }

    #stayInside() {
        this.centre.x = Math.min(this.photo.width, Math.max(0, this.centre.x));
        this.centre.y = Math.min(this.photo.height, Math.max(0, this.centre.y));
    }

    // The picture's pixel under a point of the canvas, or null beside the picture.
    pixelAt(point) {
        const box = this.photo && this.boxAt(point);
        if (!box) return null;
        const {left, top} = this.#corner(box);
        const x = Math.floor((point.x - left) / this.scale);
        const y = Math.floor((point.y - top) / this.scale);
        const inside = x >= 0 && y >= 0 && x < this.photo.width && y < this.photo.height;
        return inside ? {x, y} : null;
    }

    // The part of the picture that is in view, in whole pixels.
    get visible() {
        const {box} = this.boxes()[0];
        const {left, top} = this.#corner(box);
        const x = Math.max(0, Math.floor((box.x - left) / this.scale));
        const y = Math.max(0, Math.floor((box.y - top) / this.scale));
        const right = Math.min(this.photo.width, Math.ceil((box.x + box.width - left) / this.scale));
        const low = Math.min(this.photo.height, Math.ceil((box.y + box.height - top) / this.scale));
        return {x, y, width: right - x, height: low - y};
    }

    boxAt(point) {
        return this.boxes().find(({box}) => point.x >= box.x && point.x < box.x + box.width
            && point.y >= box.y && point.y < box.y + box.height)?.box;
    }

    // Where on the canvas which picture stands.
    boxes() {
        const whole = this.#whole();
        if (this.mode !== 'grid' || this.blind) return [{box: whole}];
        const entries = this.entries.filter((entry) => !entry.failure);
        const count = Math.max(1, entries.length);
        let best = {columns: 1, scale: 0};
        for (let columns = 1; columns <= count; columns += 1) {
            const rows = Math.ceil(count / columns);
            const scale = Math.min(
                whole.width / columns / this.photo.width, whole.height / rows / this.photo.height,
            );
            if (scale > best.scale) best = {columns, rows, scale};
        }
        const {columns, rows} = best;
        const width = Math.floor((whole.width - GAP * (columns - 1)) / columns);
        const height = Math.floor((whole.height - GAP * (rows - 1)) / rows);
        return entries.map((entry, index) => ({
            entry,
            box: {
                x: (index % columns) * (width + GAP),
                y: Math.floor(index / columns) * (height + GAP),
                width,
                height,
            },
        }));
    }

    #whole() {
        return {x: 0, y: 0, width: this.canvas.width, height: this.canvas.height};
    }

    // Whole device pixels: at 100 % nothing is resampled.
    #corner(box) {
        return {
            left: Math.round(box.x + box.width / 2 - this.centre.x * this.scale),
            top: Math.round(box.y + box.height / 2 - this.centre.y * this.scale),
        };
    }

    #resize() {
        const {clientWidth, clientHeight} = this.controls.stage;
        this.density = window.devicePixelRatio || 1;
        this.canvas.width = Math.max(1, Math.round(clientWidth * this.density));
        this.canvas.height = Math.max(1, Math.round(clientHeight * this.density));
        if (!this.photo) return;
        if (this.fitted) this.fit();
        else this.#draw();
    }

    // ---- drawing -------------------------------------------------------------------------------

    draw() {
        if (this.#drawing) return;
        this.#drawing = true;
        requestAnimationFrame(() => {
            this.#drawing = false;
            this.#draw();
        });
    }

    #draw() {
        if (!this.photo) return;
        const start = performance.now();
        this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
        if (this.blind) this.#drawBlind();
        else this[`draw_${this.mode}`]();
        this.drawMilliseconds = performance.now() - start;
        this.controls.readout();
    }

    draw_split() {
        const whole = this.#whole();
        const at = Math.round(whole.width * this.divider);
        const left = {...whole, width: at};
        const right = {...whole, x: at, width: whole.width - at};
        this.#drawPicture(this.a, left, whole);
        this.#drawPicture(this.b, right, whole);
        this.context.fillStyle = '#fff';
        this.context.fillRect(at - this.density, 0, 2 * this.density, whole.height);
        this.#drawHandle(at, whole.height / 2);
        this.#drawRegion(whole);
        this.#drawLabel(`A  ${this.label(this.a)}`, left, COLOURS.a, 'left');
        this.#drawLabel(`B  ${this.label(this.b)}`, right, COLOURS.b, 'right');
    }

    draw_grid() {
        for (const {entry, box} of this.boxes()) {
            this.#drawPicture(entry.key, box, box);
            this.#drawRegion(box);
            const colour = entry.key === this.a ? COLOURS.a : entry.key === this.b ? COLOURS.b : '';
            this.#drawLabel(entry.label, box, colour || '#fff', 'left');
            if (this.pointer) this.#drawCross(box);
        }
    }

    draw_flicker() {
        const whole = this.#whole();
        const side = this.flickerSide;
        this.#drawPicture(this[side], whole, whole);
        this.#drawRegion(whole);
        const name = `${side.toUpperCase()}  ${this.label(this[side])}`;
        this.#drawLabel(name, whole, COLOURS[side], side === 'a' ? 'left' : 'right');
    }

    draw_difference() {
        const whole = this.#whole();
        const one = this.picture(this.a);
        const other = this.picture(this.b);
        if (!one || !other) {
            this.#drawPicture(one ? this.b : this.a, whole, whole);
            return;
        }
        const layer = this.#layer();
        const exact = this.difference();
        const {left, top} = this.#corner(whole);
        if (exact) {
            exact.picture.draw(layer, whole, left, top, this.scale);
        } else {
            one.draw(layer, whole, left, top, this.scale);
            layer.globalCompositeOperation = 'difference';
            other.draw(layer, whole, left, top, this.scale);
        }
        // Adding the layer to itself doubles it, up to white, exactly.
        layer.globalCompositeOperation = 'lighter';
        for (let gain = 1; gain < this.gain; gain *= 2) layer.drawImage(layer.canvas, 0, 0);
        this.context.drawImage(layer.canvas, 0, 0);
        this.#drawRegion(whole);
        const names = `|A − B| × ${this.gain}   ${this.label(this.a)} − ${this.label(this.b)}`;
        this.#drawLabel(names, whole, '#fff', 'left');
    }

    #drawBlind() {
        const {showing} = this.blind;
        const hidden = showing === 'x' ? this.blind.test.x : showing;
        const whole = this.#whole();
        if (hidden) this.#drawPicture(this[hidden], whole, whole);
        const name = showing === 'x' ? 'X' : `${showing.toUpperCase()}  ${this.label(this[showing])}`;
        this.#drawLabel(name, whole, COLOURS[showing] ?? '#fff', 'left');
    }

    #drawPicture(key, box, frame) {
        const picture = this.picture(key);
        const {left, top} = this.#corner(frame);
        if (picture) picture.draw(this.context, box, left, top, this.scale);
        else this.#drawWords(this.#absence(key), box);
    }

    #absence(key) {
        const entry = this.#entry(key);
        if (!entry) return '';
        const problem = entry.failure || this.problems.get(key);
        if (problem) return `${entry.label}: ${problem}`;
        if (entry.ready) return `${entry.label} is being loaded …`;
        return this.photo.done ? `${entry.label}: stopped` : `${entry.label} is being rendered …`;
    }

    #layer() {
        this.layer ??= new OffscreenCanvas(1, 1).getContext('2d');
        const {width, height} = this.canvas;
        const {canvas} = this.layer;
        if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, {width, height});
        this.layer.globalCompositeOperation = 'source-over';
        this.layer.clearRect(0, 0, width, height);
        return this.layer;
    }

    #drawWords(words, box) {
        const size = 14 * this.density;
        this.context.font = `${size}px ${FONT}`;
        this.context.textAlign = 'center';
        this.context.fillStyle = getComputedStyle(this.root).color;
        let y = box.y + box.height / 2;
        for (const line of wrapped(this.context, words, box.width - 4 * size)) {
            this.context.fillText(line, box.x + box.width / 2, y);
            y += 1.4 * size;
        }
    }

    #drawLabel(words, box, colour, side) {
        const {context, density} = this;
        const inset = 8 * density;
        const height = 24 * density;
        context.font = `700 ${13 * density}px ${FONT}`;
        const most = box.width - 2 * inset - 2 * height;
        if (most < 20 * density) return;
        let shown = words;
        while (shown.length > 2 && context.measureText(shown).width > most) {
            shown = `${shown.slice(0, -2)}…`;
        }
        const width = context.measureText(shown).width + height + 6 * density;
        const x = side === 'left' ? box.x + inset : box.x + box.width - inset - width;
        const y = box.y + inset;
        context.fillStyle = 'rgba(0, 0, 0, 0.72)';
        context.beginPath();
        context.roundRect(x, y, width, height, height / 2);
        context.fill();
        context.fillStyle = colour;
        context.beginPath();
        context.arc(x + height / 2, y + height / 2, 4 * density, 0, 7);
        context.fill();
        context.fillStyle = '#fff';
        context.textAlign = 'left';
        context.textBaseline = 'middle';
        context.fillText(shown, x + height - 3 * density, y + height / 2 + density / 2);
        context.textBaseline = 'alphabetic';
    }

    #drawHandle(x, y) {
        const {context, density} = this;
        context.fillStyle = '#fff';
        context.strokeStyle = 'rgba(0, 0, 0, 0.5)';
        context.lineWidth = density;
        context.beginPath();
        context.arc(x, y, 17 * density, 0, 7);
        context.fill();
        context.stroke();
        context.fillStyle = '#333';
        for (const way of [-1, 1]) {
            context.beginPath();
            context.moveTo(x + way * 11 * density, y);
            context.lineTo(x + way * 4 * density, y - 6 * density);
            context.lineTo(x + way * 4 * density, y + 6 * density);
            context.fill();
        }
    }

    #drawRegion(box) {
        if (!this.region) return;
        const {context, density, region, scale} = this;
        const {left, top} = this.#corner(box);
        context.save();
        context.beginPath();
        context.rect(box.x, box.y, box.width, box.height);
        context.clip();
        for (const [colour, dash] of [['#000', []], ['#fff', [6 * density, 4 * density]]]) {
            context.strokeStyle = colour;
            context.lineWidth = 1.5 * density;
            context.setLineDash(dash);
            context.strokeRect(
                left + region.x * scale, top + region.y * scale,
                region.width * scale, region.height * scale,
            );
        }
        context.restore();
    }

    // In the grid, where the pointer is in every picture.
    #drawCross(box) {
        const {context, density, scale, pointer} = this;
        const {left, top} = this.#corner(box);
        const x = left + (pointer.x + 0.5) * scale;
        const y = top + (pointer.y + 0.5) * scale;
        if (x < box.x || y < box.y || x > box.x + box.width || y > box.y + box.height) return;
        context.strokeStyle = '#fff';
        context.lineWidth = density;
        context.globalCompositeOperation = 'difference';
        context.beginPath();
        context.arc(x, y, 6 * density, 0, 7);
        context.stroke();
        context.globalCompositeOperation = 'source-over';
    }

    // ---- figures -------------------------------------------------------------------------------

    get #pair() {
        return [this.a, this.b].sort().join('~');
    }

    // The difference of A and B, which are both there; see `Differences.of`.
    difference() {
        return this.differences.of(this.#pair, this.picture(this.a), this.picture(this.b));
    }

    // Why there is no difference of A and B, or nothing.
    get differenceFailure() {
        return this.differences.failure(this.#pair);
    }

    retryDifference() {
        this.differences.retry();
        this.#redraw();
    }

    // PSNR, SSIM and largest step of every ready picture to B within a region. Rejects with an
    // Error when the browser cannot work them out.
    async measureRegion(region) {
        const {x, y, width, height} = region;
        const crop = (key) => createImageBitmap(
            this.picture(key).levels[0], x, y, width, height,
            {colorSpaceConversion: 'none', premultiplyAlpha: 'none'},
        );
        const {b} = this;
        if (!this.picture(b)) return [];
        const others = this.ready.filter((entry) => entry.key !== b);
        return Promise.all(others.map(async (entry) => {
            const [one, other] = await Promise.all([crop(entry.key), crop(b)]);
            return {entry, ...await this.measurer.ask('figures', one, other)};
        }));
    }

    // ---- blind test ----------------------------------------------------------------------------

    beginBlindTest() {
        if (this.blind || !this.picture(this.a) || !this.picture(this.b) || this.a === this.b) return;
        this.region = null;
        this.loupe = false;
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

    get blindWords() {
        const {test} = this.blind;
        return test.done
            ? test.verdict(this.label(this.a), this.label(this.b))
            : `Round ${test.round + 1} of ${ROUNDS}: is X A or B? Zoom in, switch, then answer.`;
    }
}

function wrapped(context, words, width) {
    const lines = [''];
    for (const word of words.split(' ')) {
        const longer = `${lines.at(-1)} ${word}`.trim();
        if (lines.at(-1) && context.measureText(longer).width > width) lines.push(word);
        else lines[lines.length - 1] = longer;
    }
    return lines;
}
