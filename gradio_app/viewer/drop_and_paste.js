// A photo that is dropped or pasted anywhere on the page is treated like a chosen file.

export function acceptAnywhere(choose) {
    document.addEventListener('paste', (event) => {
        if (event.target.closest?.('input:not([type=checkbox], [type=radio], [type=range]), textarea')) {
            return;
        }
        if (choose([...event.clipboardData.files])) event.preventDefault();
    });
    document.addEventListener('dragover', (event) => {
        if (event.dataTransfer.types.includes('Files')) event.preventDefault();
    });
    document.addEventListener('drop', (event) => {
        if (event.defaultPrevented || !event.dataTransfer.types.includes('Files')) return;
        event.preventDefault(); // unless an upload field took it
        choose([...event.dataTransfer.files]);
    });
}
