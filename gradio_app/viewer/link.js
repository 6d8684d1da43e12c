// A view as a link, and what a browser tab remembers when it is reloaded.

import {LARGEST_SCALE, SMALLEST_STEP, clamp} from './geometry.js';
import {LARGEST_GAIN, MODES} from './modes.js';

const WRITE_AFTER = 300; // ms; browsers allow about a hundred changes of the address in 30 seconds

// The view as the fragment of an address, without the #. A photo is an example, or the server knows
// it under a name that it has given to a shared comparison.
export function toLink(viewer, whichPhoto = {photo: viewer.photo.example}) {
    const nameOf = (key) => viewer.entries.find((entry) => entry.key === key)?.name ?? '';
    const models = viewer.entries.filter((entry) => entry.kind === 'model');
    const link = new URLSearchParams({
        ...whichPhoto,
        models: models.map((entry) => entry.name).join(','),
        mode: viewer.mode,
        a: nameOf(viewer.a),
        b: nameOf(viewer.b),
        divider: viewer.divider.toFixed(3),
        gain: viewer.gain,
        strength: viewer.strength,
    });
    if (!viewer.fitted) {
        link.set('zoom', viewer.scale.toFixed(4));
        link.set('x', viewer.centre.x.toFixed(2));
        link.set('y', viewer.centre.y.toFixed(2));
    }
    return String(link);
}

// What a link says about a photo's view: {a, b, mode, divider, gain} as far as they are valid, and
// {scale, centre} if it is zoomed. Null if the link is about another photo.
export function fromLink(text, photo, entries) {
    const link = new URLSearchParams(text);
    const isSame = photo.example ? link.get('photo') === photo.example : link.has('shared');
    if (!isSame) return null;
    const keyOf = (name) => entries.find((entry) => entry.name === name)?.key;
    const number = (name, least, most) => {
        const value = parseFloat(link.get(name));
        return Number.isFinite(value) ? clamp(value, least, most) : undefined;
    };
    const gain = number('gain', 1, LARGEST_GAIN);
    const view = {
        a: keyOf(link.get('a')),
        b: keyOf(link.get('b')),
        mode: MODES.find(({name}) => name === link.get('mode'))?.name,
        divider: number('divider', 0, 1),
        strength: number('strength', 0, 1),
        gain: gain && 2 ** Math.round(Math.log2(gain)),
        scale: number('zoom', SMALLEST_STEP, LARGEST_SCALE),
    };
    if (view.scale) {
        view.centre = {
            x: number('x', 0, photo.width) ?? photo.width / 2,
            y: number('y', 0, photo.height) ?? photo.height / 2,
        };
    }
    return Object.fromEntries(Object.entries(view).filter(([, value]) => value !== undefined));
}

// Keeps the page's address such that opening it shows this view.
export function writeLink(viewer) {
    clearTimeout(writeLink.timer);
    if (!viewer.photo?.example) {
        if (location.hash) history.replaceState(null, '', location.pathname + location.search);
        return;
    }
    const link = toLink(viewer);
    writeLink.timer = setTimeout(() => history.replaceState(null, '', `#${link}`), WRITE_AFTER);
}

// Shows the view that the fragment of an address names.
export function readLink(viewer, link) {
    const view = fromLink(link, viewer.photo, viewer.entries);
    if (!view) return;
    const {scale, centre, mode, ...choices} = view;
    Object.assign(viewer, choices);
    if (mode) {
        viewer.mode = mode;
        viewer.fit();
    }
    if (scale) {
        viewer.centre = centre;
        viewer.zoomTo(scale);
    }
}

export async function copyLink(viewer) {
    clearTimeout(writeLink.timer);
    const {example, visit} = viewer.photo;
    const link = example ? toLink(viewer) : toLink(viewer, {shared: await share(visit)});
    history.replaceState(null, '', `#${link}`);
    const kept = example ? '' : ' It works for an hour, for everyone who has it.';
    try {
        await navigator.clipboard.writeText(location.href);
        return `Link copied.${kept}`;
    } catch {
        return `The browser did not allow copying. The link is the address of this page.${kept}`;
    }
}

// Has the server keep a copy of what the visitor sees, under a name that nobody can guess.
async function share(visit) {
    const answer = await fetch(new URL('share', document.baseURI), {
        method: 'POST', body: JSON.stringify({visit}),
    });
    if (!answer.ok) throw new Error('the photo is no longer on the server; upload it again');
    return (await answer.json()).shared;
}

// Lets the tab find the visitor's photo, ticks and models again when it is reloaded; the server
// reads it in page_load.py.
export function rememberVisit({visit, brought}) {
    try {
        sessionStorage.setItem('pocket-bokeh', JSON.stringify({visit, brought}));
    } catch { /* storage is blocked or full */ }
}
