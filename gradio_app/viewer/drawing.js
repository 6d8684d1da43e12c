// Draws what the viewer shows onto its canvas.

import {drawFocus, drawRing, drawHandle, drawLabel, drawRectangle, drawText} from './canvas_marks.js';
import {ringOf, ringOpacity} from './focus.js';
import {topLeft} from './geometry.js';
import {COLOURS} from './modes.js';

export class Drawing {
    #isRequested = false;
    #offscreen = null;

    constructor(viewer) {
        this.viewer = viewer;
        this.context = viewer.canvas.getContext('2d');
    }

    // Draws in the browser's next frame, once for all requests until then.
    request() {
        if (this.#isRequested) return;
        this.#isRequested = true;
        requestAnimationFrame(() => {
            this.#isRequested = false;
            this.draw();
        });
    }

    draw() {
        const {viewer, context} = this;
        if (!viewer.photo) return;
        context.clearRect(0, 0, context.canvas.width, context.canvas.height);
        if (viewer.blind) this.#drawBlindTest();
        else this.#modes[viewer.mode]();
        viewer.controls.readout();
    }

    #modes = {
        before: () => this.#drawSplit(this.viewer.left, COLOURS.photo),
        split: () => this.#drawSplit(this.viewer.a, COLOURS.a, 'A  '),
        grid: () => this.#drawGrid(),
        blink: () => this.#drawBlink(),
        difference: () => this.#drawDifference(),
    };

    #drawSplit(leftKey, colour, prefix = '') {
        const {viewer, context} = this;
        const {whole, density} = viewer;
        const at = Math.round(whole.width * viewer.divider);
        const left = {...whole, width: at};
        const right = {...whole, x: at, width: whole.width - at};
        this.#drawPicture(leftKey, left, whole);
        this.#drawPicture(viewer.b, right, whole);
        context.fillStyle = '#fff';
        context.fillRect(at - density, 0, 2 * density, whole.height);
        drawHandle(context, density, at, whole.height / 2);
        this.#drawRegion(whole);
        this.#label(`${prefix}${viewer.label(leftKey)}`, left, colour, 'left');
        this.#label(`${prefix && 'B  '}${viewer.label(viewer.b)}`, right, COLOURS.b, 'right');
    }

    #drawGrid() {
        const {viewer} = this;
        for (const {entry, box} of viewer.boxes()) {
            this.#drawPicture(entry.key, box, box);
            this.#drawRegion(box);
            const colour = entry.key === viewer.a ? COLOURS.a
                : entry.key === viewer.b ? COLOURS.b : '#fff';
            this.#label(entry.label, box, colour, 'left');
            if (viewer.pointer) this.#drawPointer(box);
        }
    }

    #drawBlink() {
        const {viewer} = this;
        const {whole, blinkSide: side} = viewer;
        this.#drawPicture(viewer[side], whole, whole);
        this.#drawRegion(whole);
        const name = `${side.toUpperCase()}  ${viewer.label(viewer[side])}`;
        this.#label(name, whole, COLOURS[side], side === 'a' ? 'left' : 'right');
    }

    #drawDifference() {
        const {viewer, context} = this;
        const {whole, scale} = viewer;
        const one = viewer.picture(viewer.a);
        const other = viewer.picture(viewer.b);
        if (!one || !other) {
            this.#drawPicture(one ? viewer.b : viewer.a, whole, whole);
            return;
        }
        const layer = this.#emptyLayer();
        const exact = viewer.difference();
        const {left, top} = topLeft(viewer, whole);
        if (exact) {
            exact.picture.draw(layer, whole, left, top, scale);
        } else {
            one.draw(layer, whole, left, top, scale);
            layer.globalCompositeOperation = 'difference';
            other.draw(layer, whole, left, top, scale);
        }
        // Adding the layer to itself doubles it exactly, up to white.
        layer.globalCompositeOperation = 'lighter';
        for (let gain = 1; gain < viewer.gain; gain *= 2) layer.drawImage(layer.canvas, 0, 0);
        context.drawImage(layer.canvas, 0, 0);
        this.#drawRegion(whole);
        const names = `${viewer.label(viewer.a)} and ${viewer.label(viewer.b)}`;
        this.#label(`Difference, ${viewer.gain} × amplified: ${names}`, whole, '#fff', 'left');
    }

    #drawBlindTest() {
        const {viewer} = this;
        const {whole} = viewer;
        const {showing, test} = viewer.blind;
        const side = showing === 'x' ? test.x : showing;
        if (side) this.#drawPicture(viewer[side], whole, whole);
        const name = showing === 'x'
            ? 'X' : `${showing.toUpperCase()}  ${viewer.label(viewer[showing])}`;
        this.#label(name, whole, COLOURS[showing] ?? '#fff', 'left');
    }

    // Draws the part of a picture that falls into `box`; `frame` is the box that the view refers to.
    #drawPicture(key, box, frame) {
        const {viewer, context} = this;
        const picture = viewer.shown(key);
        const {left, top} = topLeft(viewer, frame);
        if (picture) {
            picture.draw(context, box, left, top, viewer.scale);
            this.#drawFocus(box, left, top);
        } else {
            const colour = getComputedStyle(viewer.root).color;
            drawText(context, viewer.density, this.#whyMissing(key), box, colour);
        }
    }

    #whyMissing(key) {
        const {viewer} = this;
        const entry = viewer.entry(key);
        if (!entry) return '';
        const problem = entry.failure || viewer.pictures.problem(key);
        if (problem) return `${entry.label}: ${problem}`;
        if (entry.ready) return `Loading ${entry.label} …`;
        return viewer.photo.done ? `${entry.label}: stopped` : `Rendering ${entry.label} …`;
    }

    #emptyLayer() {
        this.#offscreen ??= new OffscreenCanvas(1, 1).getContext('2d');
        const layer = this.#offscreen;
        const {width, height} = this.context.canvas;
        if (layer.canvas.width !== width || layer.canvas.height !== height) {
            Object.assign(layer.canvas, {width, height});
        }
        layer.globalCompositeOperation = 'source-over';
        layer.clearRect(0, 0, width, height);
        return layer;
    }

    #label(text, box, colour, side) {
        drawLabel(this.context, this.viewer.density, text, box, colour, side);
    }

    #drawRegion(box) {
        const {viewer, context} = this;
        const {region, scale} = viewer;
        if (!region) return;
        const {left, top} = topLeft(viewer, box);
        drawRectangle(context, viewer.density, box, {
            x: left + region.x * scale,
            y: top + region.y * scale,
            width: region.width * scale,
            height: region.height * scale,
        });
    }

    #drawFocus(box, left, top) {
        const {viewer, context} = this;
        const isRendering = viewer.entries.some((entry) => !entry.ready && !entry.failure);
        if (isRendering) viewer.focusedAt = performance.now();
        const opacity = ringOpacity(performance.now() - viewer.focusedAt);
        if (!viewer.focus || viewer.blind || opacity === 0) return;
        const {x, y, radius} = ringOf(viewer.focus, viewer.photo);
        const {scale, density} = viewer;
        drawFocus(context, density, box, left + x * scale, top + y * scale, radius * scale, opacity);
        this.request();
    }

    // In the grid: the pixel under the pointer, in every picture.
    #drawPointer(box) {
        const {viewer, context} = this;
        const {left, top} = topLeft(viewer, box);
        const x = left + (viewer.pointer.x + 0.5) * viewer.scale;
        const y = top + (viewer.pointer.y + 0.5) * viewer.scale;
        drawRing(context, viewer.density, box, x, y);
    }
}
