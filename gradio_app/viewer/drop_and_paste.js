// A photo that is pasted or dropped anywhere on the page is treated like a chosen file.

export function acceptAnywhere(selector) {
    const choose = (files) => {
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
        if (choose(event.clipboardData.files)) event.preventDefault();
    });
    document.addEventListener('dragover', (event) => {
        if (event.dataTransfer.types.includes('Files')) event.preventDefault();
    });
    document.addEventListener('drop', (event) => {
        if (event.defaultPrevented) return; // an upload field took it
        event.preventDefault();
        choose(event.dataTransfer.files);
    });
}
