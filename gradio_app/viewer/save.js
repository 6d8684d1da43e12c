// Pictures and views as files.

const JPEG_QUALITY = 0.95;
const CAPTION_HEIGHT = 40; // CSS pixels

// The very file that the server sent, unless it is mixed with the photo.
export async function savePng(viewer, key) {
    const picture = viewer.picture(key);
    if (!picture) return;
    const name = fileName(viewer, viewer.entry(key).name, 'png');
    const isWhole = viewer.shown(key) === picture;
    download(isWhole ? picture.blob : await canvasOf(viewer.shown(key)).convertToBlob(), name);
}

function canvasOf(picture) {
    const {width, height} = picture;
    const canvas = new OffscreenCanvas(width, height);
    picture.draw(canvas.getContext('2d'), {x: 0, y: 0, width, height}, 0, 0, 1);
    return canvas;
}

export async function saveJpeg(viewer, key) {
    const picture = viewer.shown(key);
    if (!picture) return;
    const name = fileName(viewer, viewer.entry(key).name, 'jpg');
    const canvas = canvasOf(picture);
    download(await canvas.convertToBlob({type: 'image/jpeg', quality: JPEG_QUALITY}), name);
}

// The canvas as it is, below a caption that says what it shows.
export async function saveView(viewer) {
    const {canvas, density, photo} = viewer;
    const name = fileName(viewer, `comparison_${viewer.mode}`, 'png');
    const captionHeight = Math.round(CAPTION_HEIGHT * density);
    const whole = new OffscreenCanvas(canvas.width, canvas.height + captionHeight);
    const context = whole.getContext('2d');
    context.fillStyle = '#222';
    context.fillRect(0, 0, whole.width, whole.height);
    context.fillStyle = '#fff';
    context.font = `${14 * density}px system-ui, sans-serif`;
    context.textBaseline = 'middle';
    const caption = `${photo.name}, ${photo.width} × ${photo.height}: `
        + `${viewer.controls.description}, ${Math.round(100 * viewer.scale)} %`;
    context.fillText(caption, 12 * density, captionHeight / 2, whole.width - 24 * density);
    context.drawImage(canvas, 0, captionHeight);
    download(await whole.convertToBlob({type: 'image/png'}), name);
}

function fileName(viewer, name, ending) {
    const stem = viewer.photo.name.replace(/\.[^.]*$/, '');
    return `${stem}_${name}`.replace(/[^\p{L}\p{N}_-]+/gu, '_') + `.${ending}`;
}

function download(blob, name) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
