// Differences, PSNR and SSIM of pixels.

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {imageMetrics, largestOfEachFour, subtract} from '../../../gradio_app/viewer/metrics.js';

// RGBA of a picture, from a function of x, y and the channel.
function pixels(width, height, value) {
    const data = new Uint8ClampedArray(4 * width * height).fill(255);
    for (let y = 0; y < height; y += 1) {
        for (let x = 0; x < width; x += 1) {
            for (let channel = 0; channel < 3; channel += 1) {
                data[4 * (y * width + x) + channel] = value(x, y, channel);
            }
        }
    }
    return data;
}

test('a difference is absolute, keeps alpha, and names its largest value and place', () => {
    const one = pixels(3, 2, () => 100);
    const other = pixels(3, 2, (x, y, channel) => (x === 2 && y === 1 && channel === 1 ? 140 : 97));
    const {data, largest, x, y} = subtract(one, other, 3);
    assert.deepEqual([largest, x, y], [40, 2, 1]);
    assert.deepEqual([...data.slice(0, 4)], [3, 3, 3, 255]);
    assert.deepEqual([...data.slice(20, 24)], [3, 40, 3, 255]);
});

test('the largest difference is found in every channel, and the first place counts', () => {
    for (const changed of [0, 1, 2]) {
        const other = pixels(4, 4, (x, y, channel) => (x > 0 && channel === changed ? 9 : 0));
        const {largest, x, y} = subtract(pixels(4, 4, () => 0), other, 4);
        assert.deepEqual([largest, x, y], [9, 1, 0]);
    }
    assert.equal(subtract(pixels(2, 2, () => 7), pixels(2, 2, () => 7), 2).largest, 0);
});

test('a smaller copy keeps single pixels that differ, also at odd edges', () => {
    const data = pixels(5, 3, (x, y, channel) => (x === 4 && y === 2 && channel === 2 ? 200 : 10));
    const half = largestOfEachFour({data, width: 5, height: 3});
    assert.deepEqual([half.width, half.height], [3, 2]);
    assert.deepEqual([...half.data.slice(-4)], [10, 10, 200, 255]);
    assert.deepEqual([...half.data.slice(0, 4)], [10, 10, 10, 255]);
});

test('equal pictures have 100 dB and an SSIM of 1', () => {
    const picture = pixels(20, 15, (x, y, channel) => 10 * x + 3 * y + channel);
    const {psnr, ssim, largest} = imageMetrics(picture, picture, 20, 15);
    assert.equal(psnr, 100);
    assert.ok(Math.abs(ssim - 1) < 1e-9);
    assert.equal(largest, 0);
});

test('PSNR is that of the mean squared error over three channels', () => {
    const one = pixels(12, 12, () => 100);
    const other = pixels(12, 12, (x, y, channel) => (channel === 0 ? 106 : 100));
    const {psnr, largest} = imageMetrics(one, other, 12, 12);
    assert.ok(Math.abs(psnr - 10 * Math.log10(255 ** 2 / 12)) < 1e-9);
    assert.equal(largest, 6);
});

test('SSIM of two even pictures is the formula for their means', () => {
    const c1 = (0.01 * 255) ** 2;
    const expected = (2 * 100 * 150 + c1) / (100 ** 2 + 150 ** 2 + c1);
    // More rows than are computed at a time.
    const {ssim} = imageMetrics(pixels(11, 200, () => 100), pixels(11, 200, () => 150), 11, 200);
    assert.ok(Math.abs(ssim - expected) < 1e-9);
});

test('SSIM equals the definition, window by window', () => {
    const [width, height] = [17, 90];
    const noise = (seed) => (x, y, channel) => (x * 37 + y * 101 + channel * 59 + seed * x * y) % 256;
    const one = pixels(width, height, noise(1));
    const other = pixels(width, height, noise(5));
    const {ssim} = imageMetrics(one, other, width, height);
    assert.ok(Math.abs(ssim - ssimByDefinition(one, other, width, height)) < 1e-9);
});

function ssimByDefinition(one, other, width, height) {
    const [c1, c2] = [(0.01 * 255) ** 2, (0.03 * 255) ** 2];
    const weight = (dx, dy) => Math.exp(-(dx * dx + dy * dy) / (2 * 1.5 ** 2));
    let [total, count] = [0, 0];
    for (let channel = 0; channel < 3; channel += 1) {
        for (let y = 5; y < height - 5; y += 1) {
            for (let x = 5; x < width - 5; x += 1) {
                let [sum, a, b, aa, bb, ab] = [0, 0, 0, 0, 0, 0];
                for (let dy = -5; dy <= 5; dy += 1) {
                    for (let dx = -5; dx <= 5; dx += 1) {
                        const at = 4 * ((y + dy) * width + x + dx) + channel;
                        const [w, p, q] = [weight(dx, dy), one[at], other[at]];
                        sum += w;
                        a += w * p;
                        b += w * q;
                        aa += w * p * p;
                        bb += w * q * q;
                        ab += w * p * q;
                    }
                }
                [a, b, aa, bb, ab] = [a, b, aa, bb, ab].map((each) => each / sum);
                total += ((2 * a * b + c1) * (2 * (ab - a * b) + c2))
                    / ((a * a + b * b + c1) * (aa - a * a + bb - b * b + c2));
                count += 1;
            }
        }
    }
    return total / count;
}

test('a picture narrower than the window has no SSIM', () => {
    const one = pixels(10, 30, () => 5);
    assert.equal(imageMetrics(one, pixels(10, 30, () => 6), 10, 30).ssim, null);
});
