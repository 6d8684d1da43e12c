// The differences of two pictures that were asked for, the last few of them.

import {Picture} from './picture.js';

const KEPT = 2; // of 12 megapixels each takes 64 MB

export class Differences {
    // `changed` is called when one has come or failed.
    constructor(measurer, changed) {
        this.measurer = measurer;
        this.changed = changed;
    }

    // By name: {} while it is worked out, then {picture, largest, x, y} or {failure}.
    #known = new Map();

    get count() {
        return [...this.#known.values()].filter(({picture}) => picture).length;
    }

    // The difference as a picture, its largest value and where that is; null until it is there.
    of(name, one, other) {
        const known = this.#known.get(name);
        if (known) return known.picture ? known : null;
        const asked = {};
        this.#known.set(name, asked);
        this.#workOut(name, asked, one, other);
        return null;
    }

    // Why one could not be worked out, or nothing.
    failure(name) {
        return this.#known.get(name)?.failure ?? '';
    }

    // Forgets what failed: the next look asks again.
    retry() {
        for (const [name, {failure}] of this.#known) if (failure) this.#known.delete(name);
    }

    clear() {
        for (const {picture} of this.#known.values()) picture?.close();
        this.#known.clear();
    }

    async #workOut(name, asked, one, other) {
        let found;
        try {
            const {levels, ...rest} = await this.measurer.ask('difference', one.blob, other.blob);
            found = {picture: new Picture(levels), ...rest};
        } catch (error) {
            found = {failure: error.message};
        }
        // Another photo may have come meanwhile; its pictures have the same names.
        if (this.#known.get(name) !== asked) {
            found.picture?.close();
            return;
        }
        this.#known.set(name, found);
        this.#forgetAllBut(name);
        this.changed();
    }

    #forgetAllBut(newest) {
        const others = [...this.#known].filter(([name, {picture}]) => picture && name !== newest);
        for (const [name, {picture}] of others.slice(0, others.length - (KEPT - 1))) {
            picture.close();
            this.#known.delete(name);
        }
    }
}
