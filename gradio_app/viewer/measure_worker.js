// A worker that computes what would hold up the page. It answers measuring.js.

import {imageMetrics, largestOfEachFour, subtract} from './metrics.js';
import {AS_STORED} from './picture.js';

const SMALLEST_COPY = 512; // pixels on the long side

// One task at a time: two differences at once would take twice the memory.
let last = Promise.resolve();
self.onmessage = ({data}) => {
    last = last.then(() => reply(data));
};

// Every task gets a reply: its result or the reason why there is none.
async function reply({id, task, one, other}) {
    try {
        const result = await perform(task, one, other);
        self.postMessage({id, ...result}, result.levels ?? []);
    } catch (error) {
        self.postMessage({id, failure: error.message || String(error)});
    }
}

// For 'difference', `one` and `other` are the pictures' files: handing over millions of decoded
// pixels would block the page. For 'metrics' they are cropped bitmaps.
async function perform(task, one, other) {
    if (task === 'difference') {
        const bitmaps = [one, other].map((file) => createImageBitmap(file, AS_STORED));
        return difference(...await Promise.all(bitmaps));
    }
    const {width, height} = one; // gone once the bitmap is closed
    return imageMetrics(pixelsOf(one), pixelsOf(other), width, height);
}

// The absolute difference as a picture with smaller copies, its largest value and where that is.
async function difference(one, other) {
    const {width, height} = one;
    const {data, largest, x, y} = subtract(pixelsOf(one), pixelsOf(other), width);
    const levels = [];
    for (let level = {data, width, height}; ; level = largestOfEachFour(level)) {
        const image = new ImageData(level.data, level.width, level.height);
        levels.push(await createImageBitmap(image, AS_STORED));
        if (Math.max(level.width, level.height) <= SMALLEST_COPY) break;
    }
    return {levels, largest, x, y};
}

function pixelsOf(bitmap) {
    const context = new OffscreenCanvas(bitmap.width, bitmap.height)
        .getContext('2d', {willReadFrequently: true});
    context.drawImage(bitmap, 0, 0);
    const {data} = context.getImageData(0, 0, bitmap.width, bitmap.height);
    bitmap.close();
    return data;
}
