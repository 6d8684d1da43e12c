// What is drawn over the pictures: labels, the divider's handle, rectangles, messages.
//
// Coordinates are device pixels; `density` is the number of device pixels per CSS pixel.

const FONT = '"IBM Plex Sans", system-ui, sans-serif';

// A message in the middle of a box, broken into lines.
export function drawText(context, density, text, box, colour) {
    const size = 14 * density;
    context.font = `${size}px ${FONT}`;
    context.textAlign = 'center';
    context.fillStyle = colour;
    let y = box.y + box.height / 2;
    for (const line of wrapped(context, text, box.width - 4 * size)) {
        context.fillText(line, box.x + box.width / 2, y);
        y += 1.4 * size;
    }
}

function wrapped(context, text, width) {
    const lines = [''];
    for (const word of text.split(' ')) {
        const longer = `${lines.at(-1)} ${word}`.trim();
        if (lines.at(-1) && context.measureText(longer).width > width) lines.push(word);
        else lines[lines.length - 1] = longer;
    }
    return lines;
}

// A label with a dot of a colour, in the upper left or right corner of a box.
export function drawLabel(context, density, text, box, colour, side) {
    const inset = 8 * density;
    const height = 24 * density;
    context.font = `700 ${13 * density}px ${FONT}`;
    const most = box.width - 2 * inset - 2 * height;
    if (most < 20 * density) return;
    const shown = shortened(context, text, most);
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

function shortened(context, text, width) {
    let shown = text;
    while (shown.length > 2 && context.measureText(shown).width > width) {
        shown = `${shown.slice(0, -2)}…`;
    }
    return shown;
}

export function drawHandle(context, density, x, y) {
    context.fillStyle = '#fff';
    context.strokeStyle = 'rgba(0, 0, 0, 0.5)';
    context.lineWidth = density;
    context.beginPath();
    context.arc(x, y, 17 * density, 0, 7);
    context.fill();
    context.stroke();
    context.fillStyle = '#333';
    for (const direction of [-1, 1]) {
        context.beginPath();
        context.moveTo(x + direction * 11 * density, y);
        context.lineTo(x + direction * 4 * density, y - 6 * density);
        context.lineTo(x + direction * 4 * density, y + 6 * density);
        context.fill();
    }
}

// A dashed rectangle, clipped to a box.
export function drawRectangle(context, density, box, {x, y, width, height}) {
    context.save();
    context.beginPath();
    context.rect(box.x, box.y, box.width, box.height);
    context.clip();
    for (const [colour, dash] of [['#000', []], ['#fff', [6 * density, 4 * density]]]) {
        context.strokeStyle = colour;
        context.lineWidth = 1.5 * density;
        context.setLineDash(dash);
        context.strokeRect(x, y, width, height);
    }
    context.restore();
}

// Where the focus is: a ring of some opacity, clipped to a box.
export function drawFocus(context, density, box, x, y, radius, opacity) {
    context.save();
    context.beginPath();
    context.rect(box.x, box.y, box.width, box.height);
    context.clip();
    context.globalAlpha = opacity;
    for (const [colour, width] of [['#000', 5], ['#fff', 2.5]]) {
        context.strokeStyle = colour;
        context.lineWidth = width * density;
        context.beginPath();
        context.arc(x, y, Math.max(radius, 14 * density), 0, 7);
        context.stroke();
    }
    context.restore();
}

// A ring around a point, if the point lies in the box.
export function drawRing(context, density, box, x, y) {
    if (x < box.x || y < box.y || x > box.x + box.width || y > box.y + box.height) return;
    context.strokeStyle = '#fff';
    context.lineWidth = density;
    context.globalCompositeOperation = 'difference';
    context.beginPath();
    context.arc(x, y, 6 * density, 0, 7);
    context.stroke();
    context.globalCompositeOperation = 'source-over';
}
