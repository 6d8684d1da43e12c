// A rendering at less than its full strength: mixed with the photo. The blur is linear in its
// strength, so mixing gives what the server would render, to within rounding.

export class Mixture {
    // `strength` is the share of the rendering, 0 to 1.
    constructor(photo, rendering, strength) {
        Object.assign(this, {photo, rendering, strength});
        this.width = rendering.width;
        this.height = rendering.height;
    }

    // As Picture.draw.
    draw(context, box, left, top, scale) {
        this.photo.draw(context, box, left, top, scale);
        context.globalAlpha = this.strength;
        this.rendering.draw(context, box, left, top, scale);
        context.globalAlpha = 1;
    }

    // As Picture.rgb.
    rgb(x, y) {
        const rendered = this.rendering.rgb(x, y);
        return this.photo.rgb(x, y).map((value, channel) => mixed(
            value, rendered[channel], this.strength,
        ));
    }
}

export function mixed(photo, rendering, strength) {
    return Math.round(photo + strength * (rendering - photo));
}
