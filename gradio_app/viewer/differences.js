// The differences that were computed last.

import {Picture} from './picture.js';

const MOST_KEPT = 2; // each takes 64 MB for pictures of 12 megapixels

export class Differences {
    // `changed` is called when a difference is ready or has failed.
    constructor(measuring, changed) {
        this.measuring = measuring;
        this.changed = changed;
    }

    // By name: {} while it is computed, then {picture, largest, x, y} or {failure}.
    #known = new Map();

    get count() {
        return [...this.#known.values()].filter(({picture}) => picture).length;
    }

    // A difference as {picture, largest, x, y}, with the largest value and where it is. Null until
    // it is ready; asking for it starts the work.
    of(name, one, other) {
        const known = this.#known.get(name);
        if (known) return known.picture ? known : null;
        const request = {};
        this.#known.set(name, request);
        this.#compute(name, request, one, other);
        return null;
    }

    // Why a difference could not be computed; empty otherwise.
    failure(name) {
        return this.#known.get(name)?.failure ?? '';
    }

    // Forgets what failed, so that it is tried again.
    retry() {
        for (const [name, {failure}] of this.#known) if (failure) this.#known.delete(name);
    }

    clear() {
        for (const {picture} of this.#known.values()) picture?.close();
        this.#known.clear();
    }

    async #compute(name, request, one, other) {
        let result;
        try {
            const {levels, ...rest} = await this.measuring.ask('difference', one.blob, other.blob);
            result = {picture: new Picture(levels), ...rest};
        } catch (error) {
            result = {failure: error.message};
        }
        // The photo may have changed meanwhile; its differences have the same names.
        if (this.#known.get(name) !== request) {
            result.picture?.close();
            return;
        }
        this.#known.set(name, result);
        this.#forgetAllBut(name);
        this.changed();
    }

    #forgetAllBut(newest) {
        const others = [...this.#known].filter(([name, {picture}]) => picture && name !== newest);
        for (const [name, {picture}] of others.slice(0, others.length - (MOST_KEPT - 1))) {
            picture.close();
            this.#known.delete(name);
        }
    }
}
