// Which differences are kept, computed again or dropped.

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Differences} from '../../../gradio_app/viewer/differences.js';

const PICTURE = {blob: null};

// Differences whose computation the test finishes by hand.
function setUp() {
    const tasks = [];
    const closed = [];
    const measuring = {
        ask: () => new Promise((resolve, reject) => { tasks.push({resolve, reject}); }),
    };
    let changes = 0;
    const differences = new Differences(measuring, () => { changes += 1; });
    const finish = async (number, largest) => {
        const bitmap = {width: 1, height: 1, close: () => closed.push(largest)};
        tasks[number].resolve({levels: [bitmap], largest, x: 0, y: 0});
        await settle();
    };
    const fail = async (number, message) => {
        tasks[number].reject(new Error(message));
        await settle();
    };
    return {differences, tasks, closed, finish, fail, changes: () => changes};
}

function settle() {
    return new Promise((resolve) => { setImmediate(resolve); });
}

test('a difference is computed once, and is there when it is ready', async () => {
    const {differences, tasks, finish, changes} = setUp();
    assert.equal(differences.of('a~b', PICTURE, PICTURE), null);
    assert.equal(differences.of('a~b', PICTURE, PICTURE), null);
    assert.equal(tasks.length, 1);
    await finish(0, 7);
    assert.equal(differences.of('a~b', PICTURE, PICTURE).largest, 7);
    assert.equal(changes(), 1);
});

test('the latest two are kept, and the memory of older ones is freed', async () => {
    const {differences, closed, finish} = setUp();
    for (const [number, name] of ['a~b', 'a~c', 'a~d'].entries()) {
        differences.of(name, PICTURE, PICTURE);
        await finish(number, number);
    }
    assert.equal(differences.count, 2);
    assert.deepEqual(closed, [0]);
});

test('a failure has a reason and is tried again only when asked to', async () => {
    const {differences, tasks, fail, finish} = setUp();
    differences.of('a~b', PICTURE, PICTURE);
    await fail(0, 'out of memory');
    assert.equal(differences.failure('a~b'), 'out of memory');
    assert.equal(differences.of('a~b', PICTURE, PICTURE), null);
    assert.equal(tasks.length, 1);
    differences.retry();
    assert.equal(differences.failure('a~b'), '');
    differences.of('a~b', PICTURE, PICTURE);
    await finish(1, 3);
    assert.equal(differences.of('a~b', PICTURE, PICTURE).largest, 3);
});

test('a result that comes after the photo has changed is dropped', async () => {
    const {differences, closed, finish, changes} = setUp();
    differences.of('a~b', PICTURE, PICTURE);
    differences.clear();
    await finish(0, 7);
    assert.deepEqual(closed, [7]);
    assert.equal(differences.count, 0);
    assert.equal(changes(), 0);
});
