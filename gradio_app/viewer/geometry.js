// Where pictures lie on the canvas and which part of them is visible. Pure functions.
//
// Points and boxes on the canvas are in device pixels; a picture's size, points and rectangles are
// in its own pixels. A view is {scale, centre}: device pixels per picture pixel, and the point of
// the picture that lies in the middle of its box. All pictures share one view, so switching between
// them never moves anything.

export const SMALLEST_STEP = 1 / 16;
export const LARGEST_SCALE = 64;
export const GAP = 6;

const ZOOM_STEPS = [SMALLEST_STEP, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16, 32, LARGEST_SCALE];

export function clamp(value, least, most) {
    return Math.min(most, Math.max(least, value));
}

// The scale at which a whole picture fits into a box. A picture that would fit at least twice is
// enlarged by a whole number, at most 8, so that its pixels stay square.
export function fittingScale(size, box, margin) {
    const room = Math.min(box.width / size.width, box.height / size.height);
    if (room >= 2) return Math.min(8, Math.floor(room));
    const scale = Math.min(
        1, (box.width - margin) / size.width, (box.height - margin) / size.height,
    );
    return scale > 0 ? scale : 1;
}

// The view at another scale. The picture's point at `offset` from the box's middle stays in place.
export function zoomed({scale, centre}, wanted, offset = {x: 0, y: 0}) {
    const next = clamp(wanted, Math.min(SMALLEST_STEP, scale), LARGEST_SCALE);
    return {
        scale: next,
        centre: {
            x: centre.x + offset.x / scale - offset.x / next,
            y: centre.y + offset.y / scale - offset.y / next,
        },
    };
}

// The next larger (direction > 0) or smaller step of the zoom; undefined at either end.
export function nextStep(scale, direction) {
    return direction > 0
        ? ZOOM_STEPS.find((step) => step > scale * 1.001)
        : ZOOM_STEPS.findLast((step) => step < scale * 0.999);
}

// The centre such that the picture stays in its frame: no room beside it that it could fill. A
// picture that is smaller than the frame stays in the middle.
export function keptInFrame({scale, centre}, size, box) {
    const kept = (at, length, room) => {
        const half = room / scale / 2;
        return 2 * half >= length ? length / 2 : clamp(at, half, length - half);
    };
    return {
        x: kept(centre.x, size.width, box.width),
        y: kept(centre.y, size.height, box.height),
    };
}

// The picture's top left corner on the canvas, in whole pixels: at 1:1 nothing is resampled.
export function topLeft({scale, centre}, box) {
    return {
        left: Math.round(box.x + box.width / 2 - centre.x * scale),
        top: Math.round(box.y + box.height / 2 - centre.y * scale),
    };
}

// The pixel of the picture under a point of the canvas; null outside the picture.
export function pixelAt(view, box, point, size) {
    const {left, top} = topLeft(view, box);
    const x = Math.floor((point.x - left) / view.scale);
    const y = Math.floor((point.y - top) / view.scale);
    const inside = x >= 0 && y >= 0 && x < size.width && y < size.height;
    return inside ? {x, y} : null;
}

// The rectangle of the picture that is visible in a box.
export function visiblePart(view, box, size) {
    const {left, top} = topLeft(view, box);
    const x = Math.max(0, Math.floor((box.x - left) / view.scale));
    const y = Math.max(0, Math.floor((box.y - top) / view.scale));
    const right = Math.min(size.width, Math.ceil((box.x + box.width - left) / view.scale));
    const bottom = Math.min(size.height, Math.ceil((box.y + box.height - top) / view.scale));
    return {x, y, width: right - x, height: bottom - y};
}

// Boxes for `count` pictures of one size, in the number of columns that shows them largest.
export function gridBoxes(canvas, size, count) {
    let best = {columns: 1, rows: Math.max(1, count), scale: 0};
    for (let columns = 1; columns <= count; columns += 1) {
        const rows = Math.ceil(count / columns);
        const scale = Math.min(
            canvas.width / columns / size.width, canvas.height / rows / size.height,
        );
        if (scale > best.scale) best = {columns, rows, scale};
    }
    const {columns, rows} = best;
    const width = Math.floor((canvas.width - GAP * (columns - 1)) / columns);
    const height = Math.floor((canvas.height - GAP * (rows - 1)) / rows);
    return Array.from({length: count}, (_, index) => ({
        x: (index % columns) * (width + GAP),
        y: Math.floor(index / columns) * (height + GAP),
        width,
        height,
    }));
}

export function contains(box, point) {
    return point.x >= box.x && point.x < box.x + box.width
        && point.y >= box.y && point.y < box.y + box.height;
}

// The rectangle that has two pixels in opposite corners.
export function rectangleBetween(one, other) {
    return {
        x: Math.min(one.x, other.x),
        y: Math.min(one.y, other.y),
        width: Math.abs(one.x - other.x) + 1,
        height: Math.abs(one.y - other.y) + 1,
    };
}
