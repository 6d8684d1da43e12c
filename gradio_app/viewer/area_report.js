// The measurements of a rectangle, in a table below the picture.

import {AS_STORED} from './picture.js';

// Measures the viewer's region and shows the result, unless another request came meanwhile.
export async function reportRegion(viewer, report) {
    const {region, b} = viewer;
    report.hidden = !region;
    if (!region) return;
    const what = `${region.width} × ${region.height} pixels at ${region.x}, ${region.y}`;
    report.textContent = `${what}: measuring …`;
    const request = {};
    report.request = request;
    const isOutdated = () => report.request !== request || region !== viewer.region;
    try {
        const rows = await measure(viewer, region);
        if (!isOutdated()) showTable(viewer, report, `${what}, compared with B (${viewer.label(b)})`, rows);
    } catch (error) {
        if (!isOutdated()) showFailure(report, `${what}: not measured (${error.message}).`);
    }
}

// PSNR, SSIM and largest difference of every loaded picture to B within a region, at full strength.
// Rejects with an Error when the browser cannot compute them.
async function measure(viewer, {x, y, width, height}) {
    const {b} = viewer;
    const crop = (key) => createImageBitmap(
        viewer.picture(key).levels[0], x, y, width, height, AS_STORED,
    );
    if (!viewer.picture(b)) return [];
    const others = viewer.ready.filter((entry) => entry.key !== b);
    return Promise.all(others.map(async (entry) => {
        const [one, other] = await Promise.all([crop(entry.key), crop(b)]);
        return {entry, ...await viewer.measuring.ask('metrics', one, other)};
    }));
}

function showFailure(report, text) {
    report.innerHTML = '<p></p><button data-do="measure">Try again</button>'
        + '<button data-do="clear">Clear</button>';
    report.querySelector('p').textContent = text;
}

function showTable(viewer, report, caption, rows) {
    report.innerHTML = '<table><caption></caption><thead><tr><th scope="col">picture</th>'
        + '<th scope="col">PSNR, dB</th><th scope="col">SSIM</th>'
        + '<th scope="col">largest difference (of 255)</th></tr></thead><tbody></tbody></table>'
        + '<button data-do="clear">Clear</button>';
    report.querySelector('caption').textContent = caption;
    report.querySelector('tbody').append(...rows.map((row) => rowOf(viewer, row)));
}

function rowOf(viewer, {entry, psnr, ssim, largest}) {
    const row = document.createElement('tr');
    row.classList.toggle('chosen', entry.key === viewer.a);
    const values = [
        entry.label, psnr >= 100 ? 'equal' : psnr.toFixed(2),
        ssim === null ? '–' : ssim.toFixed(4), largest,
    ];
    values.forEach((value, column) => {
        const cell = document.createElement(column ? 'td' : 'th');
        cell.textContent = value;
        row.append(cell);
    });
    return row;
}
