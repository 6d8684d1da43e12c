// A lossless picture, with smaller copies for views that show it smaller.

// The values as they are in the file: no colour management, no premultiplied alpha.
export const AS_STORED = {colorSpaceConversion: 'none', premultiplyAlpha: 'none'};
const SMALLEST_COPY = 512; // pixels on the long side

export class Picture {
    // levels[0] is the picture itself; each further level is half as wide and high.
    constructor(levels, blob = null) {
        this.levels = levels;
        this.blob = blob;
        this.width = levels[0].width;
        this.height = levels[0].height;
    }

    static async load(address) {
        const answer = await fetch(address).catch(() => {
            throw new Error('the server did not answer; press “Run again”');
        });
        if (!answer.ok) throw new Error('no longer on the server; press “Run again”');
        const blob = await answer.blob();
        const levels = [await createImageBitmap(blob, AS_STORED)];
        while (Math.max(levels.at(-1).width, levels.at(-1).height) > SMALLEST_COPY) {
            const last = levels.at(-1);
            levels.push(await createImageBitmap(last, {
                ...AS_STORED,
                resizeWidth: Math.ceil(last.width / 2),
                resizeHeight: Math.ceil(last.height / 2),
                resizeQuality: 'medium',
            }));
        }
        return new Picture(levels, blob);
    }

    // Draws the part that falls into a box, with the picture's top left corner at (left, top), all
    // in device pixels. From a scale of 2 on, every pixel is a sharp square.
    draw(context, box, left, top, scale) {
        let level = 0;
        while (level + 1 < this.levels.length && scale * 2 ** (level + 1) <= 1) level += 1;
        const bitmap = this.levels[level];
        const across = (scale * this.width) / bitmap.width;
        const down = (scale * this.height) / bitmap.height;
        const x0 = Math.max(0, Math.floor((box.x - left) / across));
        const y0 = Math.max(0, Math.floor((box.y - top) / down));
        const x1 = Math.min(bitmap.width, Math.ceil((box.x + box.width - left) / across));
        const y1 = Math.min(bitmap.height, Math.ceil((box.y + box.height - top) / down));
        if (x1 <= x0 || y1 <= y0) return;
        context.save();
        context.beginPath();
        context.rect(box.x, box.y, box.width, box.height);
        context.clip();
        context.imageSmoothingEnabled = scale < 2 && scale !== 1;
        context.drawImage(
            bitmap, x0, y0, x1 - x0, y1 - y0,
            left + x0 * across, top + y0 * down, (x1 - x0) * across, (y1 - y0) * down,
        );
        context.restore();
    }

    // Red, green and blue of one pixel, 0 to 255.
    rgb(x, y) {
        return [...this.pixels(x, y, 1, 1)].slice(0, 3);
    }

    // RGBA of width × height pixels from (x, y); transparent outside the picture.
    pixels(x, y, width, height) {
        Picture.reader ??= new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
        const reader = Picture.reader;
        reader.canvas.width = width;
        reader.canvas.height = height;
        reader.drawImage(this.levels[0], -x, -y);
        return reader.getImageData(0, 0, width, height).data;
    }

    close() {
        for (const level of this.levels) level.close();
    }
}
