// The magnifier: the pixels around the pointer in A and in B, enlarged, with the middle one's value.

const RADIUS = 5; // pixels around the one under the pointer
const SCALE = 11; // screen pixels per picture pixel
const MARGIN = 24; // CSS pixels between pointer and magnifier

export function drawMagnifier(viewer, magnifier) {
    magnifier.hidden = !(viewer.magnifier && viewer.pointer && !viewer.blind);
    if (magnifier.hidden) return;
    for (const side of ['a', 'b']) {
        const canvas = magnifier.querySelector(`canvas.${side}`);
        const value = drawSide(canvas, viewer.shown(side === 'a' ? viewer.left : viewer.b), viewer.pointer);
        canvas.nextElementSibling.textContent = `${viewer.sideName(side)} ${value}`;
    }
}

function drawSide(canvas, picture, {x, y}) {
    canvas.width = canvas.height = (2 * RADIUS + 1) * SCALE;
    const context = canvas.getContext('2d');
    const box = {x: 0, y: 0, width: canvas.width, height: canvas.height};
    picture?.draw(context, box, (RADIUS - x) * SCALE, (RADIUS - y) * SCALE, SCALE);
    context.strokeStyle = '#fff';
    context.strokeRect(RADIUS * SCALE - 0.5, RADIUS * SCALE - 0.5, SCALE + 1, SCALE + 1);
    return picture ? picture.rgb(x, y).join(' ') : '–';
}

// Places the magnifier beside a point of the canvas (device pixels), where there is room.
export function placeMagnifier(viewer, point) {
    const {magnifier, stage} = viewer.controls;
    const {offsetWidth: width, offsetHeight: height} = magnifier;
    const left = beside(point.x / viewer.density, width, stage.clientWidth);
    const top = beside(point.y / viewer.density, height, stage.clientHeight);
    magnifier.style.left = `${left}px`;
    magnifier.style.top = `${top}px`;
}

function beside(at, length, available) {
    const after = at + MARGIN;
    return after + length < available ? after : Math.max(0, at - MARGIN - length);
}
