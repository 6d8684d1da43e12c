// Where pictures lie on the canvas.

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {
    GAP, LARGEST_SCALE, fittingScale, gridBoxes, keptInFrame, nextStep, pixelAt, rectangleBetween,
    topLeft, visiblePart, zoomed,
} from '../../../gradio_app/viewer/geometry.js';

const CANVAS = {x: 0, y: 0, width: 900, height: 600};
const PHOTO = {width: 300, height: 200};

test('a large photo is shrunk to fit, with a margin', () => {
    assert.equal(fittingScale({width: 3000, height: 1000}, CANVAS, 12), 888 / 3000);
    assert.equal(fittingScale({width: 1000, height: 3000}, CANVAS, 0), 0.2);
});

test('a photo that almost fits twice keeps its size; a small one is enlarged by a whole number', () => {
    assert.equal(fittingScale({width: 460, height: 200}, CANVAS, 12), 1);
    assert.equal(fittingScale({width: 300, height: 100}, CANVAS, 12), 3);
    assert.equal(fittingScale({width: 1, height: 1}, CANVAS, 12), 8);
});

test('a box smaller than its margin still gives a valid scale', () => {
    assert.equal(fittingScale({width: 300, height: 200}, {width: 1, height: 1}, 12), 1);
});

test('zooming keeps the pixel under the pointer in place', () => {
    const view = {scale: 1.5, centre: {x: 120, y: 90}};
    const point = {x: 620, y: 330};
    const offset = {x: point.x - 450, y: point.y - 300};
    const before = pixelAt(view, CANVAS, point, PHOTO);
    assert.deepEqual(before, {x: 233, y: 110});
    for (const scale of [0.25, 2, 8, 40]) {
        const after = pixelAt(zoomed(view, scale, offset), CANVAS, point, PHOTO);
        // The picture's corner is rounded to half a device pixel.
        const most = 1 + 0.5 / scale;
        assert.ok(Math.hypot(after.x - before.x, after.y - before.y) <= most, `${scale}`);
    }
});

test('zooming without a pointer keeps the centre, and stops at 64', () => {
    const view = {scale: 1, centre: {x: 10, y: 20}};
    assert.deepEqual(zoomed(view, 1000), {scale: LARGEST_SCALE, centre: {x: 10, y: 20}});
});

test('zooming out stops at 1/16, or at the scale of a photo that is larger still', () => {
    assert.equal(zoomed({scale: 1, centre: {x: 0, y: 0}}, 0.001).scale, 1 / 16);
    assert.equal(zoomed({scale: 0.01, centre: {x: 0, y: 0}}, 0.001).scale, 0.01);
});

test('steps go to the next power of two in both directions and end', () => {
    assert.equal(nextStep(0.3, 1), 0.5);
    assert.equal(nextStep(0.3, -1), 0.25);
    assert.equal(nextStep(1, 1), 2);
    assert.equal(nextStep(1, -1), 0.5);
    assert.equal(nextStep(64, 1), undefined);
    assert.equal(nextStep(1 / 16, -1), undefined);
});

test('the top left corner is a whole device pixel', () => {
    const corner = topLeft({scale: 1, centre: {x: 150.3, y: 100.7}}, CANVAS);
    assert.deepEqual(corner, {left: 300, top: 199});
});

test('the pixel under a point is the one that is drawn there', () => {
    const view = {scale: 2, centre: {x: 150, y: 100}};
    assert.deepEqual(topLeft(view, CANVAS), {left: 150, top: 100});
    assert.deepEqual(pixelAt(view, CANVAS, {x: 150, y: 100}, PHOTO), {x: 0, y: 0});
    assert.deepEqual(pixelAt(view, CANVAS, {x: 151.9, y: 102}, PHOTO), {x: 0, y: 1});
    assert.deepEqual(pixelAt(view, CANVAS, {x: 749.9, y: 499.9}, PHOTO), {x: 299, y: 199});
    assert.equal(pixelAt(view, CANVAS, {x: 149.9, y: 100}, PHOTO), null);
    assert.equal(pixelAt(view, CANVAS, {x: 750, y: 100}, PHOTO), null);
});

test('the visible part counts pixels that are cut by the edge', () => {
    const view = {scale: 8, centre: {x: 100.5, y: 50}};
    assert.deepEqual(visiblePart(view, CANVAS, PHOTO), {x: 44, y: 12, width: 113, height: 76});
    assert.deepEqual(
        visiblePart({scale: 1, centre: {x: 150, y: 100}}, CANVAS, PHOTO),
        {x: 0, y: 0, width: 300, height: 200},
    );
});

test('a grid uses the columns that show its pictures largest', () => {
    const columnsOf = (canvas, count) =>
        new Set(gridBoxes(canvas, PHOTO, count).map(({x}) => x)).size;
    assert.equal(columnsOf(CANVAS, 4), 2);
    assert.equal(columnsOf({width: 300, height: 1500}, 4), 1);
    assert.equal(columnsOf({width: 4000, height: 300}, 4), 4);
    assert.deepEqual(gridBoxes(CANVAS, PHOTO, 0), []);
});

test('the boxes of a grid are equal, apart and inside the canvas', () => {
    const boxes = gridBoxes(CANVAS, PHOTO, 5);
    assert.equal(new Set(boxes.map(({width, height}) => `${width} ${height}`)).size, 1);
    for (const {x, y, width, height} of boxes) {
        assert.ok(x >= 0 && y >= 0 && x + width <= CANVAS.width && y + height <= CANVAS.height);
    }
    assert.equal(boxes[1].x - boxes[0].x, boxes[0].width + GAP);
});

test('a rectangle holds both of its corner pixels, in whatever order they come', () => {
    const expected = {x: 3, y: 5, width: 8, height: 3};
    assert.deepEqual(rectangleBetween({x: 3, y: 7}, {x: 10, y: 5}), expected);
    assert.deepEqual(rectangleBetween({x: 10, y: 5}, {x: 3, y: 7}), expected);
    assert.deepEqual(rectangleBetween({x: 3, y: 3}, {x: 3, y: 3}), {x: 3, y: 3, width: 1, height: 1});
});

test('the photo stays in its frame, and in its middle when it is smaller', () => {
    const size = {width: 300, height: 200};
    const box = {width: 100, height: 100};
    const kept = (scale, x, y) => keptInFrame({scale, centre: {x, y}}, size, box);
    assert.deepEqual(kept(1, -5, 250), {x: 50, y: 150});
    assert.deepEqual(kept(1, 90, 70), {x: 90, y: 70});
    assert.deepEqual(kept(0.4, 10, 10), {x: 125, y: 100});
    assert.deepEqual(kept(0.1, 10, 10), {x: 150, y: 100});
});
