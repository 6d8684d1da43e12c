// The blind test: its rounds, its p-value and what it concludes.

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {BlindTest, ROUNDS, chanceOfGuessing} from '../../../gradio_app/viewer/blind_test.js';

const ALL_A = Array.from({length: ROUNDS}, () => 'a');

// A finished test in which X was always A.
function finished(given) {
    const blindTest = new BlindTest(ALL_A);
    for (const answer of given) blindTest.answer(answer);
    return blindTest;
}

function answers(right, wrong, skipped = 0) {
    return [
        ...Array.from({length: right}, () => 'a'),
        ...Array.from({length: wrong}, () => 'b'),
        ...Array.from({length: skipped}, () => null),
    ];
}

test('the p-value is the tail of the binomial distribution', () => {
    const expected = [[10, 10, 1], [9, 10, 11], [8, 10, 56], [5, 10, 638], [0, 10, 1024]];
    for (const [right, guesses, ways] of expected) {
        assert.equal(chanceOfGuessing(right, guesses), ways / 1024);
    }
    assert.equal(chanceOfGuessing(3, 4), 5 / 16);
    assert.equal(chanceOfGuessing(0, 0), 1);
});

test('ten rounds, each with A or B hidden at random', () => {
    const hidden = Array.from({length: 200}, () => new BlindTest().hidden).flat();
    assert.equal(hidden.length, 200 * ROUNDS);
    assert.deepEqual([...new Set(hidden)].toSorted(), ['a', 'b']);
    const share = hidden.filter((side) => side === 'a').length / hidden.length;
    assert.ok(share > 0.4 && share < 0.6, `${share}`); // nine standard deviations
});

test('X is what the round hides, and answers after the last round do not count', () => {
    const blindTest = new BlindTest(['a', 'b', ...ALL_A.slice(2)]);
    assert.equal(blindTest.x, 'a');
    blindTest.answer('a');
    assert.equal(blindTest.x, 'b');
    for (let round = 1; round < ROUNDS; round += 1) blindTest.answer('b');
    assert.ok(blindTest.done);
    blindTest.answer('a');
    assert.equal(blindTest.round, ROUNDS);
    assert.equal(blindTest.right, 2);
});

test('answers that are right nearly always show a difference', () => {
    const text = finished(answers(10, 0)).verdict('photo', 'float16');
    assert.match(text, /^10 of 10 right, better than guessing: you can tell photo and float16 apart/);
    assert.match(text, /p < 0\.001/);
    assert.match(finished(answers(9, 1)).verdict('a', 'b'), /better than guessing.*p = 0\.011/);
});

test('eight of ten are not enough, and three of ten are no better than guessing', () => {
    assert.match(
        finished(answers(8, 2)).verdict('a', 'b'), /^8 of 10 right, which may be luck.*p = 0\.055/,
    );
    assert.equal(
        finished(answers(3, 7)).verdict('A', 'B'),
        '3 of 10 right, no better than guessing: you could not tell A and B apart (p = 0.945).',
    );
});

test('“I can’t tell” is no answer: it is neither right nor wrong', () => {
    const some = finished(answers(4, 0, 6));
    assert.equal(some.guesses, 4);
    assert.match(some.verdict('a', 'b'), /^4 of 4 right, which may be luck.*6 × “I can’t tell”\.$/);
    assert.equal(
        finished(answers(0, 0, 10)).verdict('A', 'B'),
        'You could not tell A and B apart. 10 × “I can’t tell”.',
    );
});
