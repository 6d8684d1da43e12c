// What is to be sharp, how strong the blur is, and which pictures are compared.

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {focusAfterTap, ringOf, ringOpacity} from '../../../gradio_app/viewer/focus.js';
import {addedModel, chosenSides} from '../../../gradio_app/viewer/sides.js';
import {Mixture, mixed} from '../../../gradio_app/viewer/strength.js';

const PHOTO = {width: 400, height: 200};

test('a tap names its place, and the same place again is automatic', () => {
    assert.deepEqual(focusAfterTap(null, {x: 100, y: 50}, PHOTO), [0.251, 0.253]);
    assert.equal(focusAfterTap([0.25, 0.25], {x: 104, y: 54}, PHOTO), null);
    assert.deepEqual(focusAfterTap([0.25, 0.25], {x: 110, y: 50}, PHOTO), [0.276, 0.253]);
});

test('the ring is the disc that the network is told, and fades', () => {
    assert.deepEqual(ringOf([0.5, 0.25], PHOTO), {x: 200, y: 50, radius: 8});
    assert.equal(ringOpacity(0), 1);
    assert.ok(ringOpacity(2700) > 0 && ringOpacity(2700) < 1);
    assert.equal(ringOpacity(3000), 0);
});

test('less strength is nearer to the photo', () => {
    assert.equal(mixed(100, 200, 0), 100);
    assert.equal(mixed(100, 200, 0.25), 125);
    assert.equal(mixed(100, 200, 1), 200);
    const picture = (value) => ({width: 4, height: 2, rgb: () => [value, value, 0]});
    const mixture = new Mixture(picture(10), picture(20), 0.5);
    assert.deepEqual(mixture.rgb(0, 0), [15, 15, 0]);
    assert.deepEqual([mixture.width, mixture.height], [4, 2]);
});

const entry = (key, kind = 'model', own = false) => ({key, name: key, kind, own});
const ALL = [entry('original', 'original'), entry('float32'), entry('float16'), entry('int8_qat')];

test('float32 is compared with the fine-tuned int8 model unless the visitor chooses', () => {
    assert.deepEqual(chosenSides(ALL, {a: null, b: null}), {a: 'float32', b: 'int8_qat'});
    assert.deepEqual(chosenSides(ALL, {a: 'float16', b: null}), {a: 'float16', b: 'int8_qat'});
    assert.deepEqual(chosenSides(ALL.slice(0, 2), {a: 'gone', b: 'gone'}),
        {a: 'original', b: 'float32'});
    assert.deepEqual(chosenSides(ALL.slice(0, 1), {}), {a: 'original', b: 'original'});
});

test('a model that was just added is told apart', () => {
    const own = entry('mine', 'model', true);
    assert.equal(addedModel(ALL, [...ALL, own]), 'mine');
    assert.equal(addedModel([...ALL, own], [...ALL, own]), undefined);
    assert.equal(addedModel([], [...ALL, own]), undefined);
});
