// How far two pictures are apart: their difference, PSNR and SSIM. Pure functions.
//
// Pixels are RGBA, four values from 0 to 255 each, row by row.

// SSIM as in pocket_bokeh/metrics.py: a Gaussian window of 11 × 11 pixels with a sigma of 1.5.
const RADIUS = 5;
const SIGMA = 1.5;
const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;
const ROWS_AT_A_TIME = 64; // bounds the memory that SSIM takes
const EQUAL_PSNR = 100; // dB, in place of infinity

const WINDOW = gaussianWindow();

function gaussianWindow() {
    const offsets = Array.from({length: 2 * RADIUS + 1}, (_, index) => index - RADIUS);
    const weights = offsets.map((offset) => Math.exp(-(offset ** 2) / (2 * SIGMA ** 2)));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return weights.map((weight) => weight / sum);
}

// The absolute difference, written over `a`; its largest value and the first pixel that has it.
// Alpha stays.
export function subtract(a, b, width) {
    let largest = -1;
    let index = 0;
    for (let i = 0; i < a.length; i += 4) {
        const red = Math.abs(a[i] - b[i]);
        const green = Math.abs(a[i + 1] - b[i + 1]);
        const blue = Math.abs(a[i + 2] - b[i + 2]);
        a[i] = red;
        a[i + 1] = green;
        a[i + 2] = blue;
        const most = red > green ? (red > blue ? red : blue) : green > blue ? green : blue;
        if (most > largest) {
            largest = most;
            index = i / 4;
        }
    }
    return {data: a, largest, x: index % width, y: Math.floor(index / width)};
}

// A picture of half the width and height that keeps the largest of each 2 × 2 pixels, channel by
// channel. An average would hide single pixels that differ.
export function largestOfEachFour({data, width, height}) {
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

// PSNR in dB (at most 100), SSIM (null below 11 pixels a side) and the largest difference of 255.
export function imageMetrics(a, b, width, height) {
    let squares = 0;
    let largest = 0;
    for (let i = 0; i < a.length; i += 1) {
        const difference = Math.abs(a[i] - b[i]);
        squares += difference * difference;
        if (difference > largest) largest = difference;
    }
    const error = squares / (3 * width * height);
    const psnr = error === 0
        ? EQUAL_PSNR : Math.min(EQUAL_PSNR, 10 * Math.log10(255 ** 2 / error));
    return {psnr, ssim: meanSsim(a, b, width, height), largest};
}

function meanSsim(a, b, width, height) {
    const rows = height - 2 * RADIUS;
    const columns = width - 2 * RADIUS;
    if (rows < 1 || columns < 1) return null;
    let total = 0;
    for (let top = 0; top < rows; top += ROWS_AT_A_TIME) {
        const used = Math.min(ROWS_AT_A_TIME, rows - top) + 2 * RADIUS;
        for (let channel = 0; channel < 3; channel += 1) {
            total += sumOfSsim(
                plane(a, channel, top, width, used), plane(b, channel, top, width, used),
                width, used,
            );
        }
    }
    return total / (3 * rows * columns);
}

// The sum of SSIM over every position of the window in a plane of one channel.
function sumOfSsim(one, other, width, height) {
    const meanOne = windowMean(one, width, height);
    const meanOther = windowMean(other, width, height);
    const product = windowMean(one.map((value, i) => value * other[i]), width, height);
    const squares = windowMean(one.map((value, i) => value ** 2 + other[i] ** 2), width, height);
    let total = 0;
    for (let i = 0; i < meanOne.length; i += 1) {
        const crossed = meanOne[i] * meanOther[i];
        const squaredMeans = meanOne[i] ** 2 + meanOther[i] ** 2;
        total += ((2 * crossed + C1) * (2 * (product[i] - crossed) + C2))
            / ((squaredMeans + C1) * (squares[i] - squaredMeans + C2));
    }
    return total;
}

// The Gaussian mean around each pixel whose window lies inside, first down, then across.
function windowMean(values, width, height) {
    const columns = width - 2 * RADIUS;
    const rows = height - 2 * RADIUS;
    const columnMeans = new Float64Array(width * rows);
    for (let y = 0; y < rows; y += 1) {
        for (let k = 0; k < WINDOW.length; k += 1) {
            const weight = WINDOW[k];
            const from = (y + k) * width;
            for (let x = 0; x < width; x += 1) columnMeans[y * width + x] += weight * values[from + x];
        }
    }
    const mean = new Float64Array(columns * rows);
    for (let y = 0; y < rows; y += 1) {
        for (let k = 0; k < WINDOW.length; k += 1) {
            const weight = WINDOW[k];
            const from = y * width + k;
            for (let x = 0; x < columns; x += 1) mean[y * columns + x] += weight * columnMeans[from + x];
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
