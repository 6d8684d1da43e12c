// Gives tasks to the worker. Every task ends: with its result, or with the reason why there is none.

const TIMEOUT = 120_000; // ms without any answer, after which a worker counts as dead

export class Measuring {
    #worker = null;
    #tasks = new Map();
    #count = 0;
    #timer = 0;

    // Resolves with the 'difference' of two files or the 'metrics' of two bitmaps, as
    // measure_worker.js gives them. Rejects with an Error whose message says why there is none.
    ask(task, one, other) {
        return new Promise((resolve, reject) => {
            this.#worker ??= this.#start();
            const id = (this.#count += 1);
            this.#worker.postMessage({id, task, one, other});
            this.#tasks.set(id, {resolve, reject});
            this.#restartTimer();
        });
    }

    #start() {
        const worker = new Worker(new URL('./measure_worker.js', import.meta.url), {type: 'module'});
        worker.onmessage = ({data}) => this.#settle(data);
        worker.onerror = (event) => {
            event.preventDefault();
            this.#giveUp(event.message || 'measure_worker.js could not be loaded');
        };
        worker.onmessageerror = () => this.#giveUp('an answer could not be read');
        return worker;
    }

    #settle({id, failure, ...answer}) {
        const waiting = this.#tasks.get(id);
        this.#tasks.delete(id);
        if (failure) waiting?.reject(new Error(failure));
        else waiting?.resolve(answer);
        this.#restartTimer();
    }

    // A browser ends a worker silently, for example when memory runs out.
    #restartTimer() {
        clearTimeout(this.#timer);
        if (!this.#tasks.size) return;
        this.#timer = setTimeout(() => this.#giveUp('no answer for two minutes'), TIMEOUT);
    }

    // Fails what is open; the next task starts a new worker.
    #giveUp(reason) {
        const open = [...this.#tasks.values()];
        clearTimeout(this.#timer);
        this.#tasks.clear();
        this.#worker?.terminate();
        this.#worker = null;
        for (const {reject} of open) reject(new Error(reason));
    }
}
