// A view as a link, and what a tab remembers.

import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';

import {
    copyLink, fromLink, readLink, rememberVisit, toLink, writeLink,
} from '../../../gradio_app/viewer/link.js';

const PHOTO = {example: 'coffee', width: 600, height: 400};
const ENTRIES = [
    {key: 'original', name: 'photo', label: 'photo', kind: 'original'},
    {key: 'k1', name: 'float32', label: 'float32', kind: 'model'},
    {key: 'k2', name: 'int8_qat', label: 'int8 (fine-tuned)', kind: 'model'},
];

function viewer(changes = {}) {
    return {
        photo: PHOTO, entries: ENTRIES, mode: 'difference', a: 'k1', b: 'k2', divider: 0.25,
        gain: 32, strength: 0.6, fitted: false, scale: 2, centre: {x: 310, y: 190}, ...changes,
    };
}

let written;
beforeEach(() => {
    written = [];
    globalThis.location = {hash: '', pathname: '/bokeh/', search: '', href: 'http://localhost/'};
    globalThis.history = {replaceState: (_, __, address) => written.push(address)};
});
afterEach(() => {
    clearTimeout(writeLink.timer);
    delete globalThis.location;
    delete globalThis.history;
    delete globalThis.sessionStorage;
});

test('a view comes back from its link, and recipes name the models', () => {
    const link = toLink(viewer());
    assert.equal(new URLSearchParams(link).get('models'), 'float32,int8_qat');
    assert.equal(new URLSearchParams(link).get('b'), 'int8_qat');
    assert.deepEqual(fromLink(link, PHOTO, ENTRIES), {
        a: 'k1', b: 'k2', mode: 'difference', divider: 0.25, gain: 32, strength: 0.6, scale: 2,
        centre: {x: 310, y: 190},
    });
});

test('a fitted view has no zoom, so that it fits every screen', () => {
    const view = fromLink(toLink(viewer({fitted: true})), PHOTO, ENTRIES);
    assert.ok(!('scale' in view) && !('centre' in view));
});

test('values out of range are limited, and what means nothing is left out', () => {
    const link = 'photo=coffee&mode=flicker&a=gone&b=float32&divider=7&gain=23&zoom=1e9&x=-4&y=no';
    assert.deepEqual(fromLink(link, PHOTO, ENTRIES), {
        b: 'k1', divider: 1, gain: 32, scale: 64, centre: {x: 0, y: 200},
    });
    assert.deepEqual(fromLink('photo=coffee&gain=0&zoom=NaN', PHOTO, ENTRIES), {gain: 1});
});

test('a link to another photo, or none, says nothing about this one', () => {
    assert.equal(fromLink('photo=cat&mode=grid', PHOTO, ENTRIES), null);
    assert.equal(fromLink('', PHOTO, ENTRIES), null);
});

test('opening a link fits the view first and then zooms to its place', () => {
    const calls = [];
    const opened = viewer({
        mode: 'split', fit: () => calls.push('fit'), zoomTo: (scale) => calls.push(scale),
    });
    readLink(opened, 'photo=coffee&mode=grid&zoom=4&x=10&y=20');
    assert.deepEqual(calls, ['fit', 4]);
    assert.equal(opened.mode, 'grid');
    assert.deepEqual(opened.centre, {x: 10, y: 20});
});

test('many changes in a row write one address', (context) => {
    context.mock.timers.enable({apis: ['setTimeout']});
    for (const gain of [2, 4, 8]) writeLink(viewer({gain}));
    assert.deepEqual(written, []);
    context.mock.timers.tick(1000);
    assert.equal(written.length, 1);
    assert.match(written[0], /^#photo=coffee&.*gain=8/);
});

test('a photo of one’s own leaves nothing in the address', async () => {
    location.hash = '#photo=coffee';
    const own = viewer({photo: {...PHOTO, example: null}});
    writeLink(own);
    assert.deepEqual(written, ['/bokeh/']);
});

test('a photo of one’s own is shared under the name that the server gives it', async (context) => {
    globalThis.document = {baseURI: 'https://example.org/bokeh/'};
    const asked = context.mock.method(globalThis, 'fetch', async () => (
        {ok: true, json: async () => ({shared: 'secret'})}
    ));
    const own = viewer({photo: {...PHOTO, example: null, visit: 'token'}});
    assert.match(await copyLink(own), /for an hour/);
    const [address, {body}] = asked.mock.calls[0].arguments;
    assert.equal(String(address), 'https://example.org/bokeh/share');
    assert.deepEqual(JSON.parse(body), {visit: 'token'});
    assert.match(written[0], /^#shared=secret&/);
    const view = fromLink(written[0].slice(1), own.photo, ENTRIES);
    assert.equal(view.strength, 0.6);
    delete globalThis.document;
});

test('a photo that the server no longer has cannot be shared', async (context) => {
    globalThis.document = {baseURI: 'https://example.org/bokeh/'};
    context.mock.method(globalThis, 'fetch', async () => ({ok: false}));
    const own = viewer({photo: {...PHOTO, example: null, visit: 'token'}});
    await assert.rejects(copyLink(own), /upload it again/);
    delete globalThis.document;
});

test('a tab remembers the visit; blocked storage is no error', () => {
    const stored = {};
    globalThis.sessionStorage = {setItem: (key, text) => { stored[key] = text; }};
    rememberVisit({visit: 'token', brought: ['meadow.png'], photo: 'secret'});
    assert.deepEqual(JSON.parse(stored['pocket-bokeh']), {visit: 'token', brought: ['meadow.png']});
    globalThis.sessionStorage = {setItem: () => { throw new Error('blocked'); }};
    rememberVisit({visit: 'token', brought: []});
});
