// What the page opens with: the divider over the first picture, the choice of a photo, the examples.
// It is there before Gradio; what is chosen meanwhile waits for it.

import {acceptAnywhere} from './drop_and_paste.js';
import {choosePhoto} from './photo_files.js';

const UPLOAD = '#upload input[type=file]';
const LOOK_EVERY = 100; // ms

const opening = document.getElementById('opening');
const notice = document.getElementById('file_notice');
const ownPhoto = document.getElementById('own_photo');
const examples = [...document.querySelectorAll('[data-example]')];

const divider = opening.querySelector('input[type=range]');
const moveDivider = () => opening.style.setProperty('--divider', `${divider.value}%`);
divider.addEventListener('input', moveDivider);
moveDivider();

// Makes room for the comparison once a visitor has chosen something.
const close = () => {
    if (opening.hidden) return;
    opening.hidden = true;
    scrollTo(0, 0);
};

// Hands a photo to the page's upload field, as soon as there is one. Returns whether it is a photo.
const choose = (files) => {
    const {photo, notice: text} = choosePhoto(files, ownPhoto.accept.split(','));
    notice.textContent = text;
    if (!photo) return false;
    close();
    whenFound(() => document.querySelector(UPLOAD), (input) => {
        const transfer = new DataTransfer();
        transfer.items.add(photo);
        input.files = transfer.files;
        input.dispatchEvent(new Event('change', {bubbles: true}));
    });
    return true;
};

const whenFound = (find, use) => {
    const found = find();
    if (found) use(found);
    else setTimeout(() => whenFound(find, use), LOOK_EVERY);
};

for (const button of document.querySelectorAll('.own-photo')) {
    button.addEventListener('click', () => ownPhoto.click());
}
ownPhoto.addEventListener('change', () => {
    choose([...ownPhoto.files]);
    ownPhoto.value = ''; // so that the same file can be chosen again
});
acceptAnywhere(choose);

const press = (name) => {
    for (const each of examples) {
        each.setAttribute('aria-pressed', String(each.dataset.example === name));
    }
};

// The example that waits for the viewer; of several clicks before it is there, the last one counts.
let waiting = null;
const askFor = (example) => {
    const isFirst = waiting === null;
    waiting = example;
    if (!isFirst) return;
    whenFound(() => document.querySelector('.viewer')?.viewer, (viewer) => {
        viewer.ask({example: waiting});
        waiting = null;
    });
};

for (const button of examples) {
    button.addEventListener('click', () => {
        notice.textContent = '';
        press(button.dataset.example);
        close();
        askFor(button.dataset.example);
    });
}

// The viewer says what it shows.
document.addEventListener('pocket-bokeh-shows', ({detail}) => {
    press(detail.example);
    if (detail.example !== examples[0].dataset.example) close();
});
if (/[#&](photo|shared)=/.test(location.hash)) close();

// The model card is in a tab of the page, folded.
opening.querySelector('.card')?.addEventListener('click', (event) => {
    event.preventDefault();
    whenFound(
        () => [...document.querySelectorAll('#findings [role=tab]')]
            .find((tab) => tab.textContent.includes('About')),
        (tab) => {
            tab.click();
            whenFound(() => document.querySelector('#card_fold button'), (fold) => {
                if (!document.querySelector('#model_card')?.checkVisibility()) fold.click();
                fold.scrollIntoView({behavior: 'smooth'});
                fold.focus({preventScroll: true});
            });
        },
    );
});
