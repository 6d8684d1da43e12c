// Mouse, pen and fingers: one moves, two zoom, the divider follows, a rectangle is measured.

const CATCH = 22; // CSS pixels around the divider
const TAP = 300; // ms between the taps of a double tap

export function followGestures(viewer) {
    const {stage} = viewer.controls;
    const {canvas} = viewer;
    const down = new Map();
    let dragging = null;
    let lastTap = 0;

    const pointOf = (event) => {
        const {left, top} = canvas.getBoundingClientRect();
        return {
            x: (event.clientX - left) * viewer.density,
            y: (event.clientY - top) * viewer.density,
        };
    };

    const onDivider = (point) => viewer.mode === 'split' && !viewer.blind
        && Math.abs(point.x - viewer.divider * canvas.width) < CATCH * viewer.density;

    const whatToDrag = (event, point) => {
        if (!viewer.blind && (viewer.regionTool || event.shiftKey)) return 'region';
        return onDivider(point) ? 'divider' : 'view';
    };

    canvas.addEventListener('pointerdown', (event) => {
        if (!viewer.photo || event.button > 0) return;
        stage.focus({preventScroll: true});
        canvas.setPointerCapture(event.pointerId);
        const point = pointOf(event);
        down.set(event.pointerId, point);
        if (down.size === 1) {
            dragging = {what: whatToDrag(event, point), from: viewer.pixelAt(point), moved: false};
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
        placeLoupe(viewer, point);
        viewer.draw();
    });

    const drag = (before, point) => {
        const [dx, dy] = [point.x - before.x, point.y - before.y];
        dragging.moved ||= Math.hypot(dx, dy) > 0;
        if (dragging.what === 'divider') {
            viewer.set({divider: Math.min(1, Math.max(0, point.x / canvas.width))});
        } else if (dragging.what === 'region') {
            const to = viewer.pixelAt(point);
            dragging.from ??= to;
            if (to && dragging.from) viewer.set({region: between(dragging.from, to)});
        } else {
            viewer.pan(dx, dy);
        }
    };

    const pinch = (id, before, point) => {
        const [other] = [...down].filter(([each]) => each !== id).map(([, where]) => where);
        const apart = Math.hypot(before.x - other.x, before.y - other.y);
        const now = Math.hypot(point.x - other.x, point.y - other.y);
        const middle = {x: (point.x + other.x) / 2, y: (point.y + other.y) / 2};
        viewer.pan((point.x - before.x) / 2, (point.y - before.y) / 2);
        if (apart > 0) viewer.zoomTo(viewer.scale * (now / apart), middle);
        dragging.moved = true;
    };

    const lift = (event) => {
        if (!down.delete(event.pointerId) || down.size) return;
        if (dragging.what === 'region' && viewer.region) viewer.controls.setRegion(viewer.region);
        if (!dragging.moved && event.pointerType === 'touch') tap(event);
        dragging = null;
    };

    const tap = (event) => {
        if (event.timeStamp - lastTap < TAP) toggleZoom(pointOf(event));
        lastTap = event.timeStamp;
    };

    const toggleZoom = (point) => {
        if (viewer.fitted) viewer.zoomTo(viewer.scale < 1 ? 1 : 2 * viewer.scale, point);
        else viewer.fit();
    };

    canvas.addEventListener('pointerup', lift);
    canvas.addEventListener('pointercancel', lift);
    canvas.addEventListener('dblclick', (event) => toggleZoom(pointOf(event)));
    canvas.addEventListener('pointerleave', () => {
        if (down.size || !viewer.photo) return;
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

function between(one, other) {
    return {
        x: Math.min(one.x, other.x),
        y: Math.min(one.y, other.y),
        width: Math.abs(one.x - other.x) + 1,
        height: Math.abs(one.y - other.y) + 1,
    };
}

// Beside the pointer, on the side where there is room.
function placeLoupe(viewer, point) {
    const {loupe, stage} = viewer.controls;
    const [x, y] = [point.x / viewer.density, point.y / viewer.density];
    const {offsetWidth: width, offsetHeight: height} = loupe;
    loupe.style.left = `${x + 24 + width < stage.clientWidth ? x + 24 : Math.max(0, x - 24 - width)}px`;
    loupe.style.top = `${y + 24 + height < stage.clientHeight ? y + 24 : Math.max(0, y - 24 - height)}px`;
}
