// Can you tell A from B? In each round X is one of them by lot; ten answers, one p-value.

export const ROUNDS = 10;

export class BlindTest {
    constructor() {
        this.hidden = Array.from(crypto.getRandomValues(new Uint8Array(ROUNDS)), (byte) =>
            byte & 1 ? 'a' : 'b');
        this.answers = [];
    }

    get round() {
        return this.answers.length;
    }

    get done() {
        return this.round === ROUNDS;
    }

    // What X is in this round.
    get x() {
        return this.hidden[this.round];
    }

    // 'a', 'b', or null for "I can't tell".
    answer(choice) {
        if (!this.done) this.answers.push(choice);
    }

    get told() {
        return this.answers.filter((answer) => answer !== null).length;
    }

    get right() {
        return this.answers.filter((answer, round) => answer === this.hidden[round]).length;
    }

    // A sentence that says what the answers show and what they do not.
    verdict(a, b) {
        const untold = this.round - this.told;
        const untoldWords = untold ? `${untold} × “I can’t tell”. ` : '';
        if (this.told === 0) {
            return `${untoldWords}You could not tell ${a} from ${b}. That is a finding, too.`;
        }
        const p = guessing(this.right, this.told);
        const words = `${this.right} of ${this.told} right. ${untoldWords}Guessing does as well `
            + `with probability p = ${p < 0.001 ? 'under 0.001' : p.toFixed(3)}: `;
        return p <= 0.05
            ? `${words}you do see a difference between ${a} and ${b}.`
            : `${words}this does not show that you can tell ${a} from ${b}.`;
    }
}

// The probability of at least so many right answers by guessing alone: binomial, one-sided.
export function guessing(right, told) {
    let probability = 0;
    for (let k = right; k <= told; k += 1) probability += choose(told, k) / 2 ** told;
    return probability;
}

function choose(n, k) {
    let ways = 1;
    for (let i = 1; i <= k; i += 1) ways = (ways * (n - k + i)) / i;
    return ways;
}
