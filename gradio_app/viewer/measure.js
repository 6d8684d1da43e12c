// A worker: how far two pictures are apart, everywhere and in figures.

const AS_STORED = {colorSpaceConversion: 'none', premultiplyAlpha: 'none'};
const SMALLEST = 512;
const RADIUS = 5;
const BAND = 64;
const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;

const offsets = Array.from({length: 2 * RADIUS + 1}, (_, index) => index - RADIUS);
const weights = offsets.map((offset) => Math.exp(-(offset ** 2) / (2 * 1.5 ** 2)));
const sum = weights.reduce((total, weight) => total + weight, 0);
const WINDOW = weights.map((weight) => weight / sum);

// One question at a time: two differences at once would take twice the memory.
let last = Promise.resolve();
self.onmessage = ({data}) => {
    last = last.then(() => reply(data));
};

// Every question gets a reply, if only the reason why there is no answer.
async function reply({id, task, one, other}) {
    try {
        const answer = await answerTo(task, one, other);
        self.postMessage({id, ...answer}, answer.levels ?? []);
    } catch (error) {
        self.postMessage({id, failure: error.message || String(error)});
    }
}

// For a difference, `one` and `other` are the pictures' files: to hand over millions of decoded
// pixels would hold up the page. For figures they are bitmaps, cut out.
async function answerTo(task, one, other) {
    if (task !== 'difference') return figures(one, other);
    return difference(...await Promise.all([one, other].map(decoded)));
}

function decoded(file) {
    return createImageBitmap(file, AS_STORED);
}

// The absolute difference as a picture, its largest value and where that is. Smaller copies hold
// the largest of each 2 × 2 pixels: an average would hide what one is looking for.
async function difference(one, other) {
    const {width, height} = one;
    const a = pixelsOf(one);
    const b = pixelsOf(other);
    let largest = -1;
    let place = 0;
    for (let index = 0; index < a.length; index += 4) {
        const red = Math.abs(a[index] - b[index]);
        const green = Math.abs(a[index + 1] - b[index + 1]);
        const blue = Math.abs(a[index + 2] - b[index + 2]);
        a[index] = red;
        a[index + 1] = green;
        a[index + 2] = blue;
        const most = red > green ? (red > blue ? red : blue) : green > blue ? green : blue;
        if (most > largest) {
            largest = most;
            place = index >> 2;
        }
    }
    const levels = [];
    for (let level = {data: a, width, height}; ; level = largestOfFour(level)) {
        const image = new ImageData(level.data, level.width, level.height);
        levels.push(await createImageBitmap(image, AS_STORED));
        if (Math.max(level.width, level.height) <= SMALLEST) break;
    }
    return {levels, largest, x: place % width, y: Math.floor(place / width)};
}

function largestOfFour({data, width, height}) {
    const halfWidth = Math.ceil(width / 2);
    const halfHeight = Math.ceil(height / 2);
    const half = new Uint8ClampedArray(4 * halfWidth * halfHeight);
    for (let y = 0; y < height; y += 1) {
        for (let x = 0; x < width; x += 1) {
            const from = 4 * (y * width + x);
            const to = 4 * ((y >> 1) * halfWidth + (x >> 1));
            for (let channel = 0; channel < 4; channel += 1) {
                if (data[from + channel] > half[to + channel]) {
                    half[to + channel] = data[from + channel];
                }
            }
        }
    }
    return {data: half, width: halfWidth, height: halfHeight};
}

// PSNR in dB (100 where equal), SSIM (null below 11 pixels a side) and the largest step of 255.
function figures(one, other) {
    const {width, height} = one;
    const a = pixelsOf(one);
    const b = pixelsOf(other);
    let squares = 0;
    let largest = 0;
    for (let index = 0; index < a.length; index += 1) {
        const step = Math.abs(a[index] - b[index]);
        squares += step * step;
        if (step > largest) largest = step;
    }
    const error = squares / (3 * width * height);
    const psnr = error === 0 ? 100 : Math.min(100, 10 * Math.log10(255 ** 2 / error));
    return {psnr, ssim: ssim(a, b, width, height), largest};
}

function ssim(a, b, width, height) {
    const rows = height - 2 * RADIUS;
    const columns = width - 2 * RADIUS;
    if (rows < 1 || columns < 1) return null;
    let total = 0;
    for (let top = 0; top < rows; top += BAND) {
        const seen = Math.min(BAND, rows - top) + 2 * RADIUS;
        for (let channel = 0; channel < 3; channel += 1) {
            total += similarity(
                plane(a, channel, top, width, seen), plane(b, channel, top, width, seen),
                width, seen,
            );
        }
    }
    return total / (3 * rows * columns);
}

function similarity(one, other, width, height) {
    const meanOne = windowMean(one, width, height);
    const meanOther = windowMean(other, width, height);
    const product = windowMean(one.map((value, i) => value * other[i]), width, height);
    const squares = windowMean(one.map((value, i) => value ** 2 + other[i] ** 2), width, height);
    let total = 0;
    for (let i = 0; i < meanOne.length; i += 1) {
        const both = meanOne[i] * meanOther[i];
        const means = meanOne[i] ** 2 + meanOther[i] ** 2;
        total += ((2 * both + C1) * (2 * (product[i] - both) + C2))
            / ((means + C1) * (squares[i] - means + C2));
    }
    return total;
}

function windowMean(values, width, height) {
    const columns = width - 2 * RADIUS;
    const rows = height - 2 * RADIUS;
    const down = new Float64Array(width * rows);
    for (let y = 0; y < rows; y += 1) {
        for (let k = 0; k < WINDOW.length; k += 1) {
            const weight = WINDOW[k];
            const from = (y + k) * width;
            for (let x = 0; x < width; x += 1) down[y * width + x] += weight * values[from + x];
        }
    }
    const mean = new Float64Array(columns * rows);
    for (let y = 0; y < rows; y += 1) {
        for (let k = 0; k < WINDOW.length; k += 1) {
            const weight = WINDOW[k];
            const from = y * width + k;
            for (let x = 0; x < columns; x += 1) mean[y * columns + x] += weight * down[from + x];
        }
    }
    return mean;
}

function plane(rgba, channel, top, width, height) {
    const values = new Float64Array(width * height);
    const first = 4 * top * width + channel;
    for (let i = 0; i < values.length; i += 1) values[i] = rgba[first + 4 * i];
    return values;
}

function pixelsOf(bitmap) {
    const context = new OffscreenCanvas(bitmap.width, bitmap.height)
        .getContext('2d', {willReadFrequently: true});
    context.drawImage(bitmap, 0, 0);
    const {data} = context.getImageData(0, 0, bitmap.width, bitmap.height);
    bitmap.close();
    return data;
}
