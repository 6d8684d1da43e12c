// Mouse, pen and fingers: drag to move, pinch to zoom, move the divider, draw a rectangle.

import {clamp, rectangleBetween} from './geometry.js';
import {placeMagnifier} from './magnifier.js';

const DIVIDER_REACH = 22; // CSS pixels on each side of the divider
const DOUBLE_TAP = 300; // ms between the two taps
const STILL = 4; // CSS pixels that a finger or mouse may move in a tap

export function followGestures(viewer) {
    const {stage} = viewer.controls;
    const {canvas} = viewer;
    const down = new Map();
    let dragging = null;
    let lastTap = -Infinity;
    let tapTimer = 0;

    const pointOf = (event) => {
        const {left, top} = canvas.getBoundingClientRect();
        return {
            x: (event.clientX - left) * viewer.density,
            y: (event.clientY - top) * viewer.density,
        };
    };

    const onDivider = (point) => viewer.hasDivider
        && Math.abs(point.x - viewer.divider * canvas.width) < DIVIDER_REACH * viewer.density;

    const whatToDrag = (event, point) => {
        if (!viewer.blind && (viewer.regionTool || event.shiftKey)) return 'region';
        return onDivider(point) ? 'divider' : 'view';
    };

    canvas.addEventListener('pointerdown', (event) => {
        if (!viewer.photo || event.button > 0) return;
        viewer.use();
        stage.focus({preventScroll: true});
        canvas.setPointerCapture(event.pointerId);
        const point = pointOf(event);
        down.set(event.pointerId, point);
        if (down.size === 1) {
            const what = whatToDrag(event, point);
            dragging = {what, start: point, from: viewer.pixelAt(point), moved: false};
        }
        event.preventDefault();
    });

    canvas.addEventListener('pointermove', (event) => {
        if (!viewer.photo) return;
        const point = pointOf(event);
        stage.classList.toggle('on-divider', onDivider(point) && !viewer.regionTool);
        const before = down.get(event.pointerId);
        if (before && down.size === 2) pinch(event.pointerId, before, point);
        else if (before) drag(before, point);
        if (before) down.set(event.pointerId, point);
        viewer.pointer = viewer.pixelAt(point);
        placeMagnifier(viewer, point);
        viewer.draw();
    });

    const drag = (before, point) => {
        const [dx, dy] = [point.x - before.x, point.y - before.y];
        const {start} = dragging;
        const distance = Math.hypot(point.x - start.x, point.y - start.y);
        dragging.moved ||= distance > STILL * viewer.density;
        if (dragging.what === 'divider') {
            viewer.set({divider: clamp(point.x / canvas.width, 0, 1)});
        } else if (dragging.what === 'region') {
            const to = viewer.pixelAt(point);
            dragging.from ??= to;
            if (to && dragging.from) viewer.set({region: rectangleBetween(dragging.from, to)});
        } else {
            viewer.pan(dx, dy);
        }
    };

    const pinch = (id, before, point) => {
        const [other] = [...down].filter(([each]) => each !== id).map(([, where]) => where);
        const distanceBefore = Math.hypot(before.x - other.x, before.y - other.y);
        const distance = Math.hypot(point.x - other.x, point.y - other.y);
        const middle = {x: (point.x + other.x) / 2, y: (point.y + other.y) / 2};
        viewer.pan((point.x - before.x) / 2, (point.y - before.y) / 2);
        if (distanceBefore > 0) {
            viewer.zoomTo(viewer.scale * (distance / distanceBefore), middle);
        }
        dragging.moved = true;
    };

    const lift = (event) => {
        if (!down.delete(event.pointerId) || down.size) return;
        if (dragging.what === 'region' && viewer.region) viewer.controls.setRegion(viewer.region);
        const isTap = event.type === 'pointerup' && !dragging.moved && dragging.what === 'view';
        if (isTap) tap(event);
        dragging = null;
    };

    // One tap sets the focus, two zoom: the first waits until there is no second.
    const tap = (event) => {
        clearTimeout(tapTimer);
        const point = pointOf(event);
        if (event.timeStamp - lastTap < DOUBLE_TAP) {
            lastTap = -Infinity;
            toggleZoom(point);
        } else {
            lastTap = event.timeStamp;
            tapTimer = setTimeout(() => viewer.focusOn(viewer.pixelAt(point)), DOUBLE_TAP);
        }
    };

    const toggleZoom = (point) => {
        if (viewer.fitted) viewer.zoomTo(viewer.scale < 1 ? 1 : 2 * viewer.scale, point);
        else viewer.fit();
    };

    canvas.addEventListener('pointerup', lift);
    canvas.addEventListener('pointercancel', lift);
    canvas.addEventListener('pointerleave', (event) => {
        // A lifted finger leaves the magnifier, so that it can be read.
        const isKept = event.pointerType === 'touch' && viewer.magnifier;
        if (down.size || !viewer.photo || isKept) return;
        viewer.pointer = null;
        viewer.draw();
    });

    // The wheel scrolls the page until the picture has been clicked.
    canvas.addEventListener('wheel', (event) => {
        if (!viewer.photo || !(event.ctrlKey || document.activeElement === stage)) return;
        event.preventDefault();
        const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
        viewer.zoomTo(viewer.scale * Math.exp(-0.002 * event.deltaY * lines), pointOf(event));
    }, {passive: false});
}
