// Pictures as files, and a view as a link.

const JPEG_QUALITY = 0.95;
const BAR = 40;

export function savePng(viewer, key) {
    const picture = viewer.picture(key);
    // The very file that the server sent.
    if (picture) download(picture.blob, fileName(viewer, viewer.label(key), 'png'));
}

export async function saveJpeg(viewer, key) {
    const picture = viewer.picture(key);
    if (!picture) return;
    const name = fileName(viewer, viewer.label(key), 'jpg');
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    canvas.getContext('2d').drawImage(picture.levels[0], 0, 0);
    download(await canvas.convertToBlob({type: 'image/jpeg', quality: JPEG_QUALITY}), name);
}

// What is in view, pixel by pixel, under a line that says what it is.
export async function saveComparison(viewer) {
    const {canvas, density} = viewer;
    const name = fileName(viewer, `comparison_${viewer.mode}`, 'png');
    const bar = Math.round(BAR * density);
    const whole = new OffscreenCanvas(canvas.width, canvas.height + bar);
    const context = whole.getContext('2d');
    context.fillStyle = '#222';
    context.fillRect(0, 0, whole.width, whole.height);
    context.fillStyle = '#fff';
    context.font = `${14 * density}px system-ui, sans-serif`;
    context.textBaseline = 'middle';
    const words = `${viewer.photo.name}, ${viewer.photo.width} × ${viewer.photo.height}: `
        + `${viewer.controls.described}, ${Math.round(100 * viewer.scale)} %`;
    context.fillText(words, 12 * density, bar / 2, whole.width - 24 * density);
    context.drawImage(canvas, 0, bar);
    download(await whole.convertToBlob({type: 'image/png'}), name);
}

// Keeps the address of the page such that opening it shows this view.
export function writeLink(viewer) {
    clearTimeout(writeLink.later);
    if (!viewer.photo?.example) {
        if (location.hash) history.replaceState(null, '', location.pathname + location.search);
        return;
    }
    const models = viewer.entries.filter((entry) => entry.kind === 'model');
    const link = new URLSearchParams({
        photo: viewer.photo.example,
        models: models.map((entry) => entry.label).join(','),
        mode: viewer.mode,
        a: viewer.label(viewer.a),
        b: viewer.label(viewer.b),
        divider: viewer.divider.toFixed(3),
        gain: viewer.gain,
    });
    if (!viewer.fitted) {
        link.set('zoom', viewer.scale.toFixed(4));
        link.set('x', viewer.centre.x.toFixed(2));
        link.set('y', viewer.centre.y.toFixed(2));
    }
    // Browsers allow a hundred of these in half a minute.
    writeLink.later = setTimeout(() => history.replaceState(null, '', `#${link}`), 300);
}

// By this a reload of the tab finds the visitor's photo, ticks and models again; see opening.py.
export function remember({visit, brought}) {
    try {
        sessionStorage.setItem('pocket-bokeh', JSON.stringify({visit, brought}));
    } catch { /* storage is blocked or full */ }
}

export function readLink(viewer) {
    const link = new URLSearchParams(location.hash.slice(1));
    if (link.get('photo') !== viewer.photo.example) return;
    const keyOf = (label) => viewer.entries.find((entry) => entry.label === label)?.key;
    const number = (name, least, most, otherwise) => {
        const value = parseFloat(link.get(name));
        return Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : otherwise;
    };
    viewer.a = keyOf(link.get('a')) ?? viewer.a;
    viewer.b = keyOf(link.get('b')) ?? viewer.b;
    if (['split', 'grid', 'flicker', 'difference'].includes(link.get('mode'))) {
        viewer.mode = link.get('mode');
        viewer.fit();
    }
    viewer.divider = number('divider', 0, 1, viewer.divider);
    viewer.gain = 2 ** Math.round(Math.log2(number('gain', 1, 64, viewer.gain)));
    if (link.has('zoom')) {
        viewer.centre = {
            x: number('x', 0, viewer.photo.width, viewer.centre.x),
            y: number('y', 0, viewer.photo.height, viewer.centre.y),
        };
        viewer.zoomTo(number('zoom', 1 / 16, 64, viewer.scale));
    }
}

export async function copyLink(viewer) {
    if (!viewer.photo.example) {
        return 'Your photo stays with you: only views of the examples can be linked to.';
    }
    writeLink(viewer);
    await new Promise((resolve) => setTimeout(resolve, 350));
    try {
        await navigator.clipboard.writeText(location.href);
        return 'The link is in the clipboard.';
    } catch {
        return 'The link is this page’s address; the browser did not let it be copied.';
    }
}

function fileName(viewer, label, ending) {
    const stem = viewer.photo.name.replace(/\.[^.]*$/, '');
    return `${stem}_${label}`.replace(/[^\p{L}\p{N}_-]+/gu, '_') + `.${ending}`;
}

function download(blob, name) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
