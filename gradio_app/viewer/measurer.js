// Asks the worker, and settles every question: with an answer, or with the reason why there is none.

const PATIENCE = 120_000; // ms without any answer, after which a worker counts as dead

export class Measurer {
    #worker = null;
    #questions = new Map();
    #asked = 0;
    #alarm = 0;

    // Asks for the 'difference' of two files or the 'figures' of two bitmaps; see measure.js.
    // Rejects with an Error whose message says why there is no answer.
    ask(task, one, other) {
        return new Promise((resolve, reject) => {
            this.#worker ??= this.#start();
            const id = (this.#asked += 1);
            this.#worker.postMessage({id, task, one, other});
            this.#questions.set(id, {resolve, reject});
            this.#watch();
        });
    }

    #start() {
        const worker = new Worker(new URL('./measure.js', import.meta.url), {type: 'module'});
        worker.onmessage = ({data}) => this.#settle(data);
        worker.onerror = (event) => {
            event.preventDefault();
            this.#giveUp(event.message || 'measure.js could not be loaded');
        };
        worker.onmessageerror = () => this.#giveUp('an answer could not be read');
        return worker;
    }

    #settle({id, failure, ...answer}) {
        const question = this.#questions.get(id);
        this.#questions.delete(id);
        if (failure) question?.reject(new Error(failure));
        else question?.resolve(answer);
        this.#watch();
    }

    // The browser does not tell when it has ended a worker, for instance for want of memory.
    #watch() {
        clearTimeout(this.#alarm);
        if (!this.#questions.size) return;
        this.#alarm = setTimeout(() => this.#giveUp('no answer for two minutes'), PATIENCE);
    }

    // The next question starts a new worker.
    #giveUp(reason) {
        const open = [...this.#questions.values()];
        clearTimeout(this.#alarm);
        this.#questions.clear();
        this.#worker?.terminate();
        this.#worker = null;
        for (const {reject} of open) reject(new Error(reason));
    }
}
