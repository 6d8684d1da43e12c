// Where the visitor wants the photo sharp. Points are fractions of the photo's width and height.

const SAME_PLACE = 0.04; // of the photo's shorter side: the radius that the network is told
const RING_SHOWN = 3000; // ms
const FADING = 600; // ms

// The focus after a tap on a pixel: null, that is automatic, on the same place again.
export function focusAfterTap(current, pixel, {width, height}) {
    const x = (pixel.x + 0.5) / width;
    const y = (pixel.y + 0.5) / height;
    if (current) {
        const distance = Math.hypot((x - current[0]) * width, (y - current[1]) * height);
        if (distance <= SAME_PLACE * Math.min(width, height)) return null;
    }
    return [x, y].map((part) => Math.round(1000 * part) / 1000);
}

// How visible the ring is, 0 to 1: it fades some time after the tap.
export function ringOpacity(sinceTap) {
    return Math.min(1, Math.max(0, (RING_SHOWN - sinceTap) / FADING));
}

// The ring's middle and radius in the photo's pixels.
export function ringOf([x, y], {width, height}) {
    return {x: x * width, y: y * height, radius: SAME_PLACE * Math.min(width, height)};
}
