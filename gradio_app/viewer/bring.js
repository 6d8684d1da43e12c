// A photo that is pasted or dropped anywhere on the page goes the way of a chosen file.

export function takeFromAnywhere(selector) {
    const hand = (files) => {
        const input = document.querySelector(selector);
        const photo = [...files].find((file) => file.type.startsWith('image/') || !file.type);
        if (!input || !photo) return false;
        const transfer = new DataTransfer();
        transfer.items.add(photo);
        input.files = transfer.files;
        input.dispatchEvent(new Event('change', {bubbles: true}));
        return true;
    };
    document.addEventListener('paste', (event) => {
        if (event.target.closest?.('input, textarea')) return;
        if (hand(event.clipboardData.files)) event.preventDefault();
    });
    document.addEventListener('dragover', (event) => {
        if (event.dataTransfer.types.includes('Files')) event.preventDefault();
    });
    document.addEventListener('drop', (event) => {
        if (event.defaultPrevented) return; // a field of its own took it
        event.preventDefault();
        hand(event.dataTransfer.files);
    });
}
