// Can you tell A from B? In each of ten rounds X is one of them at random; then a p-value says how
// likely it is to do as well by guessing.

export const ROUNDS = 10;
const SIGNIFICANT = 0.05;

export class BlindTest {
    // `hidden` says what X is in each round, 'a' or 'b'.
    constructor(hidden = randomSides()) {
        this.hidden = hidden;
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

    // How many answers were A or B.
    get guesses() {
        return this.answers.filter((answer) => answer !== null).length;
    }

    get right() {
        return this.answers.filter((answer, round) => answer === this.hidden[round]).length;
    }

    // The result in one sentence, without figures; `a` and `b` are the pictures' labels.
    outcome(a, b) {
        const p = chanceOfGuessing(this.right, this.guesses);
        const could = this.guesses > 0 && p <= SIGNIFICANT ? 'could' : 'could not';
        return `In a blind test you ${could} tell ${a} and ${b} apart.`;
    }

    // What the answers show, in words; `a` and `b` are the pictures' labels.
    verdict(a, b) {
        const {right, guesses} = this;
        const skipped = this.round - guesses;
        const skippedText = skipped ? ` ${skipped} × “I can’t tell”.` : '';
        if (guesses === 0) return `You could not tell ${a} and ${b} apart.${skippedText}`;
        const p = chanceOfGuessing(right, guesses);
        const score = `${right} of ${guesses} right`;
        const pText = p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`;
        if (p <= SIGNIFICANT) {
            return `${score}, better than guessing: you can tell ${a} and ${b} apart (${pText}).`
                + skippedText;
        }
        return right > guesses / 2
            ? `${score}, which may be luck: this does not show that you can tell ${a} and ${b} `
                + `apart (${pText}).${skippedText}`
            : `${score}, no better than guessing: you could not tell ${a} and ${b} apart `
                + `(${pText}).${skippedText}`;
    }
}

function randomSides() {
    const bytes = crypto.getRandomValues(new Uint8Array(ROUNDS));
    return Array.from(bytes, (byte) => (byte & 1 ? 'a' : 'b'));
}

// The probability of at least so many right answers by guessing: binomial, one-sided.
export function chanceOfGuessing(right, guesses) {
    let probability = 0;
    for (let k = right; k <= guesses; k += 1) probability += combinations(guesses, k) / 2 ** guesses;
    return probability;
}

function combinations(n, k) {
    let count = 1;
    for (let i = 1; i <= k; i += 1) count = (count * (n - k + i)) / i;
    return count;
}
