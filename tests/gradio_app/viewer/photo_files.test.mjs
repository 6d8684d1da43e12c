// Which of the chosen files is the photo, and what is said about the others.

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {choosePhoto} from '../../../gradio_app/viewer/photo_files.js';

const ENDINGS = ['.jpg', '.heic'];
const file = (name, type = '', size = 1000) => ({name, type, size});

test('one photo is taken without a word', () => {
    for (const photo of [file('a.JPG'), file('b.heic'), file('', 'image/png')]) {
        assert.deepEqual(choosePhoto([photo], ENDINGS), {photo, notice: ''});
    }
    assert.deepEqual(choosePhoto([], ENDINGS), {photo: null, notice: ''});
});

test('of several photos the first is taken, and a sentence says so', () => {
    const photos = [file('a.jpg'), file('b.jpg')];
    const {photo, notice} = choosePhoto(photos, ENDINGS);
    assert.equal(photo, photos[0]);
    assert.equal(notice, 'One photo at a time: a.jpg was taken, 1 more was not.');
    assert.match(choosePhoto([file('x.pdf'), ...photos], ENDINGS).notice, /2 more were not/);
});

test('what is no photo is a sentence', () => {
    const {photo, notice} = choosePhoto([file('letter.pdf', 'application/pdf')], ENDINGS);
    assert.equal(photo, null);
    assert.match(notice, /^letter\.pdf is not a photo that this page can read\. Choose a JPEG/);
    assert.match(choosePhoto([file('a.pdf'), file('b.svg', 'image/svg+xml')], ENDINGS).notice,
        /^None of the 2 files is a photo/);
});

test('a photo that is too large is a sentence with its size', () => {
    const {photo, notice} = choosePhoto([file('huge.jpg', 'image/jpeg', 120.2e6)], ENDINGS);
    assert.equal(photo, null);
    assert.match(notice, /^huge\.jpg has 121 MB; at most 100 MB can be uploaded\./);
});
