// The loaded pictures of a photo, by their keys. Pictures of different photos have the same keys.

import {Picture} from './picture.js';

export class Pictures {
    #pictures = new Map(); // a Picture, or a request that has not been answered yet
    #problems = new Map();

    // `onChange` is called when a picture was loaded, or could not be.
    constructor(onChange) {
        this.onChange = onChange;
    }

    // The picture; null while it is not loaded.
    get(key) {
        const picture = this.#pictures.get(key);
        return picture instanceof Picture ? picture : null;
    }

    // Why a picture could not be loaded; empty otherwise.
    problem(key) {
        return this.#problems.get(key) ?? '';
    }

    async load({key, address}) {
        if (this.#pictures.has(key)) return;
        const request = {};
        this.#pictures.set(key, request);
        // The photo or the focus may have changed meanwhile.
        const isCurrent = () => this.#pictures.get(key) === request;
        try {
            const picture = await Picture.load(address);
            if (!isCurrent()) {
                picture.close();
                return;
            }
            this.#pictures.set(key, picture);
            this.#problems.delete(key);
        } catch (error) {
            if (!isCurrent()) return;
            this.#pictures.delete(key);
            this.#problems.set(key, error.message);
        }
        this.onChange();
    }

    forget(key) {
        this.#pictures.get(key)?.close?.();
        this.#pictures.delete(key);
        this.#problems.delete(key);
    }

    clear() {
        for (const key of [...this.#pictures.keys()]) this.forget(key);
        this.#problems.clear();
    }
}
